import Type from 'typebox';

/** What was odd about a call that was recorded all the same, and what each word means. */
export const sessionFlags = {
  'no-metadata': 'a SIPREC client has sent no metadata so far',
  'broken-metadata': 'metadata could not be read, or only in part',
  'partial-metadata': 'metadata spoke of what was never described',
  'old-namespace': "metadata was not in RFC 7865's namespace",
  'wrong-content-type': 'a part of a body was told by its looks, not by its Content-Type',
  'broken-body': 'a multipart body broke the rules of RFC 2046',
  'broken-sdp': 'a session description broke the rules of RFC 8866',
  'no-label': 'a SIPREC stream had no label, so nobody can be told to be heard on it',
  'unknown-label': 'a stream had a label that the metadata does not name',
  'unsupported-codec': 'a track has a codec that can be kept but not be played here',
  'refused-stream': 'a stream was offered that could not be taken',
  'session-expired-with-media': 'the session timer ran out while media went on',
  'srtp-auth-failed':
    'no packet of an encrypted track could be decrypted: its keys were not those of the SDP',
  'dtls-failed':
    'no keys of an encrypted track came about: nobody shook hands, or not with the certificate of the SDP',
  'srtp-key-outlived': 'more packets came under a key of SRTP than it may serve for; they are recorded',
  'unpaired-leg':
    'the other leg of a call that comes in two has not come in time; taken back if it still comes',
  'damaged-journal':
    'what its home had noted of it was damaged, and its beginning put together from what was left',
} as const;
export type SessionFlag = keyof typeof sessionFlags;

/** Text, not a closed list: an older reader takes the words of a newer writer. */
export const Flags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  description: 'what was odd about the call; the words are listed under Flags',
});
