import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeMetadata, undescribed } from './metadata-merge.ts';
import { participantsByLabel, participantsInOrder } from './metadata-participants.ts';
import { parseMetadata, recordingNamespace } from './metadata.ts';

const recording = (inner: string, dataMode = 'complete'): string =>
  `<?xml version="1.0"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${dataMode}</datamode>${inner}</recording>`;
const call = recording(`
  <group group_id="g1"><associate-time>2026-01-01T10:00:00Z</associate-time></group>
  <session session_id="s1"><sipSessionID>ab;remote=cd</sipSessionID><group-ref>g1</group-ref><start-time>2026-01-01T12:00:00+02:00</start-time></session>
  <participant participant_id="p1"><nameID aor="sip:alice@a"><name xml:lang="en">Alice &amp; co</name></nameID></participant>
  <participant participant_id="p2"><nameID aor="sip:bob@b"/></participant>
  <participantsessionassoc participant_id="p1" session_id="s1"><associate-time>2026-01-01T10:00:01Z</associate-time></participantsessionassoc>
  <stream stream_id="t1" session_id="s1"><label>1</label></stream>
  <stream stream_id="t2" session_id="s1"><label>2</label></stream>
  <participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>
  <participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv><associate-time>2026-01-01T10:00:02</associate-time></participantstreamassoc>`);

test('a complete description resolves to who is heard on which label, and since when', () => {
  const metadata = parseMetadata(call);
  assert.deepEqual(metadata.problems, []);
  assert.deepEqual(metadata.sessions[0], {
    id: 's1',
    groupId: 'g1',
    sipSessionIds: ['ab;remote=cd'],
    startedAt: '2026-01-01T10:00:00.000Z',
    stoppedAt: undefined,
  });
  assert.deepEqual(
    [...participantsByLabel(metadata)],
    [
      [
        '1',
        [
          {
            participantId: 'p1',
            address: 'sip:alice@a',
            name: 'Alice & co',
            joinedAt: '2026-01-01T10:00:01.000Z',
            leftAt: undefined,
          },
        ],
      ],
      [
        '2',
        [
          {
            participantId: 'p2',
            address: 'sip:bob@b',
            name: undefined,
            joinedAt: '2026-01-01T10:00:02.000Z',
            leftAt: undefined,
          },
        ],
      ],
    ],
  );
});

const after = (update: string) =>
  mergeMetadata(parseMetadata(call), parseMetadata(recording(update, 'partial')));

test('R4: a partial update changes by id what it names and keeps the rest, with the times of who joined and left', () => {
  const merged = after(`
    <participant participant_id="p3"><nameID aor="sip:carol@c"/></participant>
    <stream stream_id="t2" session_id="s1"><label>2</label></stream>
    <participantstreamassoc participant_id="p2"><disassociate-time>2026-01-01T10:05:00Z</disassociate-time></participantstreamassoc>
    <participantstreamassoc participant_id="p3"><send>t2</send><associate-time>2026-01-01T10:05:01Z</associate-time></participantstreamassoc>`);
  const times = (label: string) =>
    participantsByLabel(merged)
      .get(label)
      ?.map(({ address, joinedAt, leftAt }) => [address, joinedAt?.slice(11, 19), leftAt?.slice(11, 19)]);
  assert.deepEqual(times('1'), [['sip:alice@a', '10:00:01', undefined]]);
  assert.deepEqual(times('2'), [
    ['sip:bob@b', '10:00:02', '10:05:00'],
    ['sip:carol@c', '10:05:01', undefined],
  ]);
  assert.deepEqual(undescribed(merged), []);
});

test('R4: who leaves the session has left its streams, and may change streams by a partial update', () => {
  const merged = after(`
    <participantsessionassoc participant_id="p1" session_id="s1"><disassociate-time>2026-01-01T10:06:00Z</disassociate-time></participantsessionassoc>
    <participantstreamassoc participant_id="p2"><send>t1</send></participantstreamassoc>`);
  const [alice, bob] = participantsByLabel(merged).get('1') ?? [];
  assert.equal(alice?.joinedAt, '2026-01-01T10:00:01.000Z');
  assert.equal(alice.leftAt, '2026-01-01T10:06:00.000Z');
  assert.equal(bob?.address, 'sip:bob@b');
  assert.deepEqual(participantsByLabel(merged).get('2'), []);
});

test('R6: a session ends by its stop-time, or by leaving the recording session; what was said of it before stays', () => {
  const stopped = after('<session session_id="s1"><stop-time>2026-01-01T11:00:00Z</stop-time></session>');
  const out = after(
    '<sessionrecordingassoc session_id="s1"><disassociate-time>2026-01-01T11:00:00Z</disassociate-time></sessionrecordingassoc>',
  );
  for (const { sessions } of [stopped, out])
    assert.deepEqual(sessions, [
      {
        id: 's1',
        groupId: 'g1',
        sipSessionIds: ['ab;remote=cd'],
        startedAt: '2026-01-01T10:00:00.000Z',
        stoppedAt: '2026-01-01T11:00:00.000Z',
      },
    ]);
});

test('R6: of several sessions each has its own participants, though they use one label', () => {
  const merged = after(`
    <session session_id="s2"/>
    <participant participant_id="p3"><nameID aor="sip:carol@c"/></participant>
    <stream stream_id="t3" session_id="s2"><label>1</label></stream>
    <participantstreamassoc participant_id="p3"><send>t3</send></participantstreamassoc>`);
  const heard = (...sessions: string[]) =>
    participantsByLabel(merged, new Set(sessions))
      .get('1')
      ?.map(({ participantId }) => participantId);
  assert.deepEqual([heard('s1'), heard('s2'), heard('s1', 's2')], [['p1'], ['p3'], ['p1', 'p3']]);
});

test('R5: an update that speaks of what was never described is told', () => {
  const merged = after(`
    <stream stream_id="t9" session_id="s9"><label>9</label></stream>
    <participantstreamassoc participant_id="p9"><send>t8</send></participantstreamassoc>`);
  assert.deepEqual(undescribed(merged), ['s9', 'p9', 't8']);
});

test('R3: where no label can tell, streams count in their order, and participants where there is no stream', () => {
  const names = (xml: string) =>
    participantsInOrder(parseMetadata(xml)).map((list) => list.map(({ participantId }) => participantId));
  assert.deepEqual(names(call), []);
  assert.deepEqual(names(call.replace(/<label>.<\/label>/g, '')), [['p1'], ['p2']]);
  assert.deepEqual(names(call.replace(/<stream .*<\/stream>/g, '')), [['p1'], ['p2']]);
});

test('R14: ids are any text', () => {
  const odd = call.replaceAll('"s1"', '"urn:uuid:5 &lt;ä&gt;"').replaceAll('t1', '+/=-');
  assert.equal(parseMetadata(odd).sessions[0]?.id, 'urn:uuid:5 <ä>');
  assert.deepEqual(
    participantsByLabel(parseMetadata(odd))
      .get('1')
      ?.map(({ participantId }) => participantId),
    ['p1'],
  );
});

test('prefixes and the namespace of a draft make no difference', () => {
  const prefixed = call.replace(/<(\/?)(?!\?)/g, '<$1r:').replace('xmlns=', 'xmlns:r=');
  assert.deepEqual(parseMetadata(prefixed).streams, parseMetadata(call).streams);
});

test('broken metadata is named and read as far as it goes', () => {
  const torn = parseMetadata(call.slice(0, call.indexOf('<participantstreamassoc')));
  assert.equal(torn.streams.length, 2);
  assert.equal(torn.problems.length, 1);
  assert.ok(parseMetadata('').problems.length > 0);
  assert.ok(parseMetadata('<recording><stream/></recording>').problems.includes('1 streams without id'));
  assert.ok(
    parseMetadata(recording('<session session_id="s"><start-time>soon</start-time></session>')).problems.some(
      (problem) => problem.includes('soon'),
    ),
  );
});

test('namespaces are told: of the RFC, of its drafts, or none', () => {
  const told = (xmlns: string) =>
    parseMetadata(call.replace(/ xmlns="[^"]*"/, xmlns)).namespace === recordingNamespace;
  assert.deepEqual(
    [` xmlns="${recordingNamespace}"`, ' xmlns="urn:ietf:params:xml:ns:recording"', ''].map(told),
    [true, false, false],
  );
});

test("a vendor's extension is not taken for what it is called alike, nor does its forgotten namespace harm", () => {
  const extended = parseMetadata(
    call.replace(
      '</recording>',
      '<x:stream xmlns:x="urn:x" stream_id="x"/><y:extensiondata><y:a/></y:extensiondata></recording>',
    ),
  );
  assert.deepEqual(
    extended.streams.map(({ id }) => id),
    ['t1', 't2'],
  );
  assert.equal(extended.participantStreams.length, 2);
  assert.match(extended.problems.join(), /unbound namespace prefix/);
});

test('no entity is expanded, no file is read, no depth or length is without bound', () => {
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join(
    '',
  );
  const bomb = `<!DOCTYPE r [<!ENTITY l0 "lol">${laughs}]><recording><session session_id="&l9;"/></recording>`;
  const file =
    '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><recording><datamode>&f;</datamode></recording>';
  const outside = '<!DOCTYPE recording SYSTEM "http://127.0.0.1:1/r.dtd"><recording/>';
  for (const hostile of [bomb, file, outside]) {
    const read = parseMetadata(hostile);
    assert.match(read.problems[0] ?? '', /document type/);
    assert.deepEqual([read.sessions, read.dataMode], [[], undefined]);
  }
  assert.match(parseMetadata('<recording>&l9;</recording>').problems[0] ?? '', /XML/);
  assert.match(parseMetadata('<a>'.repeat(1_000)).problems[0] ?? '', /deeper/);
  assert.match(parseMetadata(`<recording>${'<stream/>'.repeat(10_000)}`).problems[0] ?? '', /elements/);
});
