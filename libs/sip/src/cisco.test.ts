import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBibLeg, readCubeParticipants, readSessionId } from './cisco.ts';
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
