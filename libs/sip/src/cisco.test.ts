import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bibLegAfter, readBibLeg, readCubeParticipants, readSessionId } from './cisco.ts';
import { parseNameAddr } from './name-addr.ts';

const session = (value: string | undefined): ReturnType<typeof readSessionId> =>
  readSessionId({ header: () => value });

test('a leg of the built-in bridge is read from the parameters inside From', () => {
  const leg = readBibLeg(
    parseNameAddr(
      '<sip:4001@10.1.1.1;x-farend;x-refci=2719;x-nearendclusterid=StandAloneCluster;x-nearenddevice=SEPABC;' +
        'x-nearendaddr=4001;x-farendrefci=2720;x-farendclusterid=C2;x-farenddevice=SEPDEF;x-farendaddr=4002>;tag=9',
    ),
  );
  assert.equal(leg?.side, 'far');
  assert.equal(leg?.refCi, '2719');
  assert.equal(leg?.nearEndDevice, 'SEPABC');
  assert.equal(leg?.nearEndClusterId, 'StandAloneCluster');
  assert.equal(leg?.farEndAddress, '4002');
  assert.equal(leg?.isConference, false);
});

describe('the far end of a leg after a later request', () => {
  const marks = 'x-near%;x-refci=5;x-nearenddevice=a;x-farendaddr=';
  const from = (address: string) => parseNameAddr(`<sip:1@h;${marks.replace('%', 'end')}${address}>;tag=1`);
  const opened = readBibLeg(from('2002'));
  assert.ok(opened);
  const after = (
    said: { readonly from?: string; readonly contact?: string; readonly 'remote-party-id'?: string },
    before = opened,
  ): string | undefined =>
    bibLegAfter(
      {
        from: from(said.from ?? '2002'),
        contact: said.contact === undefined ? undefined : parseNameAddr(said.contact),
        header: (name) => (name === 'remote-party-id' ? said[name] : undefined),
      },
      opened,
      before,
    ).farEndAddress;

  test('is the one that From names, also when it comes back', () => {
    assert.equal(after({}), '2002');
    assert.equal(after({ from: '3003' }), '3003');
    assert.equal(after({}, { ...opened, farEndAddress: '3003' }), '2002');
  });

  test('is the one of Contact or Remote-Party-ID where From says what it said at first', () => {
    assert.equal(after({ contact: '<sip:cm@h;x-farendaddr=3003>' }), '3003');
    assert.equal(after({ 'remote-party-id': '"Bob" <sip:2@h;x-farendaddr=4004>;party=called' }), '4004');
    assert.equal(after({ contact: '<sip:cm@h>', 'remote-party-id': '<sip:2@h>;party=calling' }), '2002');
  });

  test('comes as a whole: what is not said of it is unknown', () => {
    const before = { ...opened, farEndDevice: 'trunk', farEndRefCi: '6' };
    const { side, refCi, farEndDevice, farEndRefCi } = bibLegAfter(
      { from: from('3003'), contact: undefined, header: () => undefined },
      opened,
      before,
    );
    assert.deepEqual([side, refCi, farEndDevice, farEndRefCi], ['near', '5', undefined, undefined]);
  });
});

test('an old leg has no cluster id; a plain caller is no leg', () => {
  assert.equal(
    readBibLeg(parseNameAddr('<sip:1@h;x-nearend;x-refci=5;x-nearenddevice=a>'))?.nearEndClusterId,
    undefined,
  );
  assert.equal(readBibLeg(parseNameAddr('<sip:1@h>;tag=1')), undefined);
});

test('participants of forked media name the m-lines they are heard on', () => {
  const header = 'sip:1001@10.0.0.1;media-index="0 2", "A, B" <sip:1002@10.0.0.2;media-index="1">';
  assert.deepEqual(readCubeParticipants(header), [
    { uri: 'sip:1001@10.0.0.1', user: '1001', mediaIndexes: [0, 2] },
    { uri: 'sip:1002@10.0.0.2;media-index="1"', user: '1002', mediaIndexes: [1] },
  ]);
  assert.deepEqual(readCubeParticipants(undefined), []);
  assert.deepEqual(readCubeParticipants(',,'), []);
});

test('Session-ID gives both sides, and none for the zeros of an unknown one', () => {
  const local = 'AB'.repeat(16);
  assert.deepEqual(session(`${local};remote=${'0'.repeat(32)}`), {
    local: local.toLowerCase(),
    remote: undefined,
  });
  assert.deepEqual(session(`${local}; remote=${'1'.repeat(32)}`)?.remote, '1'.repeat(32));
  assert.equal(session('nonsense'), undefined);
  assert.equal(session(undefined), undefined);
});
