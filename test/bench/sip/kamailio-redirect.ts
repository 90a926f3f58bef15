import { startKamailio } from '../../support/kamailio.ts';
import type { Kamailio } from '../../support/kamailio.ts';

/** The same redirect with the same promises: a transaction that repeats its 302 and takes the ACK; three Contacts by q. */
const routing = `
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "corex.so"
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("ACK")) { t_check_trans(); exit; }
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  if (!t_newtran()) { exit; }
  $ru = "sip:record@127.0.0.1:20000";
  append_branch("sip:record@127.0.0.1:20001", "0.9");
  append_branch("sip:record@127.0.0.1:20002", "0.8");
  t_reply("302", "Moved Temporarily");
}
`;

export const startKamailioRedirect = (core: number | undefined): Promise<Kamailio> =>
  startKamailio({ routing, core });
