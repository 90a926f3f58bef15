import { TransientMap } from '@reelstream/domain/transient-map';
import type { App } from './control/app.ts';
import { Apps } from './control/apps.ts';
import { ControlServer } from './control/control-server.ts';
import { StorageNews } from './control/storage-news.ts';
import { Counters } from './counters.ts';
import { Dialogs } from './dialog/dialogs.ts';
import type { StateStore } from './durable/state-store.ts';
import { openStateStore } from './durable/state-store.ts';
import { Guard } from './guard/guard.ts';
import type { GuardOptions } from './guard/limits.ts';
import { DEFAULT_GUARD } from './guard/limits.ts';
import { isTurnedAway, isWelcome, receive } from './ingress.ts';
import type { Timing } from './transaction/machine.ts';
import { DEFAULT_TIMING } from './transaction/machine.ts';
import type { TransactionUser } from './transaction/transactions.ts';
import { Transactions } from './transaction/transactions.ts';
import type { Endpoint, Flow } from './transport/endpoint.ts';
import { formatEndpoint } from './transport/endpoint.ts';
import type { TlsIdentity } from './transport/stream-kind.ts';
import type { Advertised } from './transport/transports.ts';
import { ListenError, Transports } from './transport/transports.ts';
import { formatHostPort } from './message/uri.ts';
import type { Core } from './ua/core.ts';
import { onAppSip } from './ua/from-app.ts';
import { onAck, onCancel, onRequest, onStrayResponse } from './ua/from-network.ts';
import { onAppJoined, onAppLeft, onAppRouted } from './ua/incoming.ts';
import { abandonOutgoing } from './ua/outgoing.ts';
import { onAppProxy } from './ua/proxy.ts';
import { restore } from './ua/restore.ts';
import { startSweeping } from './ua/sweep.ts';

export type SipServerOptions = {
  /** Where to take SIP; port 0 is an ephemeral one. */
  readonly listen: readonly Endpoint[];
  /** Where applications connect. Default 127.0.0.1, ephemeral port. */
  readonly control?: { readonly host: string; readonly port: number };
  /** What applications must know to connect. */
  readonly secret: string;
  /** RFC 3261 timers in milliseconds; default T1 500, T2 4000, T4 5000. */
  readonly timing?: Partial<Timing>;
  /** How long a request waits for an application to come back, in ms; default 3000, within a dialog 40*T1. */
  readonly appGraceMs?: number;
  /** Length of a second of session timers (RFC 4028) in ms; default 1000. Shorter ones are for tests. */
  readonly sessionSecondMs?: number;
  /**
   * What becomes of a dialog whose peer has not refreshed it in time (RFC 4028 §10): `hang-up`, the default, as drachtio-server;
   * `leave`: the application decides, since only it knows whether media still comes.
   */
  readonly sessionExpiry?: 'hang-up' | 'leave';
  /** A dialog that no application has owned for this many ms is ended; default an hour. */
  readonly orphanMs?: number;
  /** The peer of a dialog without session timers is asked for a sign of life this often, in ms; default an hour. */
  readonly silentMs?: number;
  /**
   * Folder of its own where dialogs are kept, and INVITEs that wait for their answer, to go on after a restart; without it they
   * end with the process.
   */
  readonly stateDir?: string;
  /** Told when dialogs could not be saved there: calls go on, and a later save is tried. */
  readonly onStateFault?: (error: unknown) => void;
  /** Who may speak to us, and how much; every limit has a default. */
  readonly guard?: Partial<GuardOptions>;
  /** Which of our addresses peers in a network know us by: in Via, Contact and Record-Route. Default: those we are bound to. */
  readonly advertise?: readonly Advertised[];
  /** What TLS listeners prove themselves by; needed where `listen` has one. */
  readonly tls?: TlsIdentity;
  /** A TCP connection without traffic is closed after this many ms; default 10 minutes. */
  readonly tcpIdleMs?: number;
  /** A TCP peer has this many ms to complete a message it began; default 32 s. */
  readonly tcpPartialMs?: number;
  /** Told when a message met a bug of ours, which was contained; for the log. */
  readonly onBug?: (where: string, error: unknown) => void;
};

/** A running server. Disposing it closes every socket. */
export type SipServer = {
  readonly addresses: readonly Endpoint[];
  readonly control: { readonly host: string; readonly port: number };
  /** Counts since start, and how many dialogs, transactions and applications there are. */
  counters(): Readonly<Record<string, number>>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Starts a server; throws ListenError naming the address that could not be bound, or StateDirError. */
export async function startSipServer(options: SipServerOptions): Promise<SipServer> {
  const storage = new StorageNews();
  const store = await storeOf(options, storage);
  const guard = new Guard({ ...DEFAULT_GUARD, ...options.guard });
  const core = assemble(options, guard, store);
  const { transports, counters } = core;
  let control: ControlServer | undefined;
  const close = async (): Promise<void> => {
    await store?.[Symbol.asyncDispose]();
    guard[Symbol.dispose]();
    forgetAll(core);
    await Promise.all([control?.[Symbol.asyncDispose](), transports[Symbol.asyncDispose]()]);
  };
  if (store !== undefined) restore(core, store.left);
  await transports.listen(options.listen).catch((error: unknown) => {
    guard[Symbol.dispose]();
    forgetAll(core);
    throw error;
  });
  try {
    await store?.begin(() => core.dialogs.saved());
    control = await listenForApps(options, core, storage);
  } catch (error) {
    await close();
    throw error;
  }
  const { orphanMs = HOUR_MS, silentMs = HOUR_MS } = options;
  core.onClose.push(startSweeping(core, { orphanMs, silentMs }));
  return {
    addresses: transports.endpoints,
    control: control.address,
    counters: () => ({ ...counters.snapshot(), ...gauges(core) }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const HOUR_MS = 3_600_000;

async function storeOf(options: SipServerOptions, storage: StorageNews): Promise<StateStore | undefined> {
  if (options.stateDir === undefined) return undefined;
  const failed = (error: unknown): void => options.onStateFault?.(error);
  return openStateStore(options.stateDir, {
    dialogs: {
      failed: (error) => {
        storage.tell(error instanceof Error ? error.message : String(error));
        failed(error);
      },
      mended: () => storage.tell(undefined),
    },
    invites: { failed },
  });
}

/** Stops every timer, so that nothing happens any more once the sockets close. */
function forgetAll({ incoming, outgoing, parked, transactions, dialogs, onClose }: Core): void {
  for (const stop of onClose.splice(0)) stop();
  for (const { expiry, grace } of incoming.values()) {
    clearTimeout(expiry);
    clearTimeout(grace);
  }
  for (const map of [incoming, outgoing, parked]) map.clear();
  transactions.close();
  dialogs.close();
}

function gauges({ dialogs, transactions, transports, apps }: Core): Record<string, number> {
  return {
    'now.dialogs': dialogs.size,
    'now.transactions': transactions.size,
    'now.connections': transports.connections,
    'now.applications': apps.size,
  };
}

/** The parts of a server, joined; nothing is bound yet. */
export function assemble(options: SipServerOptions, guard: Guard, store?: StateStore): Core {
  const counters = new Counters();
  const count = (name: string): void => counters.count(name);
  const transports = new Transports(
    {
      accepts: (address) => isWelcome(core, guard, address),
      arrived: (bytes, flow) => receive(core, guard, bytes, flow),
      counted: count,
      failed: count,
    },
    {
      idleMs: options.tcpIdleMs ?? 600_000,
      partialMs: options.tcpPartialMs ?? 32_000,
      connectMs: 4000,
      maxQueuedBytes: 4 * 1024 * 1024,
      maxConnections: 10_000,
    },
    { identity: options.tls, advertise: options.advertise },
  );
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const user: TransactionUser = {
    turnsAway: (request, flow) => isTurnedAway(core, guard, request, flow),
    request: (transaction) => onRequest(core, transaction),
    cancel: (transaction, invite) => onCancel(core, transaction, invite),
    ack: (request, flow: Flow) => onAck(core, request, flow),
    strayResponse: (response) => onStrayResponse(core, response),
  };
  const core: Core = {
    timing,
    appGraceMs: options.appGraceMs,
    sessionSecondMs: options.sessionSecondMs ?? 1000,
    leavesExpired: options.sessionExpiry === 'leave',
    routeKey: options.secret,
    counters,
    transports,
    transactions: new Transactions(transports, timing, user, store?.invites),
    dialogs: new Dialogs(store?.dialogs),
    apps: new Apps(),
    incoming: new TransientMap(),
    outgoing: new TransientMap(),
    parked: new Set(),
    owed: [],
    onClose: [],
    bug: (where, error) => {
      counters.count(`bug.${where}`);
      options.onBug?.(where, error);
    },
  };
  return core;
}

async function listenForApps(
  options: SipServerOptions,
  core: Core,
  storage: StorageNews,
): Promise<ControlServer> {
  const { host, port } = options.control ?? { host: '127.0.0.1', port: 0 };
  const endpoints = core.transports.endpoints.map(formatEndpoint);
  const wanted = { host, port, secret: options.secret, endpoints };
  try {
    return await ControlServer.listen(wanted, {
      joined: (app) => {
        core.apps.add(app);
        onAppJoined(core, app);
      },
      routed: (_, method) => onAppRouted(core, method),
      watchesStorage: (app) => storage.watch(app),
      sip: (app, frame) => guarded(core, 'control.sip', () => onAppSip(core, app, frame)),
      proxy: (app, frame) => guarded(core, 'control.proxy', () => onAppProxy(core, app, frame)),
      left: (app) => {
        storage.forget(app);
        onLeft(core, app);
      },
      counted: (name) => core.counters.count(name),
    });
  } catch (error) {
    throw new ListenError('control', formatHostPort(host, port), error);
  }
}

/** A bug of ours, met by one message, must not cost the others their server. */
function guarded(core: Core, where: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    core.bug(where, error);
  }
}

function onLeft(core: Core, app: App): void {
  core.apps.remove(app);
  onAppLeft(core, app);
  abandonOutgoing(core, app);
}
