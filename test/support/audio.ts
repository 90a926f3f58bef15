/** Readers of their own for what the stories judge: nothing here shares code with what is judged. */

export type Wav = { readonly sampleRate: number; readonly channels: readonly Int16Array[] };

/** Reads a RIFF file of 16-bit PCM. Throws on anything else. */
export const readWav = (bytes: Buffer): Wav => {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE')
    throw new Error('not a WAV');
  if (bytes.readUInt32LE(4) !== bytes.length - 8)
    throw new Error(`RIFF says ${bytes.readUInt32LE(4)} + 8 of ${bytes.length} bytes`);
  let format: { channels: number; sampleRate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (id === 'fmt ') {
      if (body.readUInt16LE(14) !== 16) throw new Error(`${body.readUInt16LE(14)} bits a sample`);
      format = { channels: body.readUInt16LE(2), sampleRate: body.readUInt32LE(4) };
    }
    if (id === 'data' && format)
      return { sampleRate: format.sampleRate, channels: split(body, format.channels) };
    at += 8 + size + (size % 2);
  }
  throw new Error('a WAV without data');
};

const split = (data: Buffer, channels: number): Int16Array[] => {
  const frames = data.length / 2 / channels;

  return Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: frames }, (_, frame) => data.readInt16LE((frame * channels + channel) * 2)),
  );
};

/** A-law to linear, from the definition in ITU-T G.711 (segment and mantissa), not from a table. */
export const decodeAlaw = (code: number): number => {
  const inverted = code ^ 0x55;
  const segment = (inverted >> 4) & 7;
  const mantissa = ((inverted & 15) << 4) + 8;
  const magnitude = segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1);

  return inverted & 0x80 ? magnitude : -magnitude;
};

/** RTP payloads of a classic pcap file over Ethernet and IPv4, in order. */
export const rtpPayloadsOf = (pcap: Buffer): readonly Buffer[] => {
  const payloads: Buffer[] = [];
  for (let at = 24; at + 16 <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8);
    const frame = pcap.subarray(at + 16, at + 16 + length);
    const ipHeader = ((frame[14] ?? 0) & 15) * 4;
    const udp = frame.subarray(14 + ipHeader);
    payloads.push(udp.subarray(8 + 12, udp.readUInt16BE(4)));
    at += 16 + length;
  }

  return payloads;
};

/** Where `needle` stands in `channel`, exactly, or -1. */
export const findSamples = (channel: Int16Array, needle: Int16Array): number => {
  for (let at = 0; at + needle.length <= channel.length; at += 1) {
    let same = 0;
    while (same < needle.length && channel[at + same] === needle[same]) same += 1;
    if (same === needle.length) return at;
  }

  return -1;
};

/** Mu-law to linear, from the definition in ITU-T G.711 (segment and mantissa), not from a table. */
export const decodeUlaw = (code: number): number => {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 15) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84;

  return inverted & 0x80 ? -magnitude : magnitude;
};

/** A RIFF file of 16-bit PCM, one channel. */
export const writeWav = (samples: Int16Array, sampleRate = 8_000): Buffer => {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + 2 * samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(2 * sampleRate, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(2 * samples.length, 40);

  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
};

/** How much of a signal is a tone of `hertz` (0 to 1, of its energy), and the tone's amplitude. */
export const toneIn = (
  samples: Int16Array,
  hertz: number,
  sampleRate: number,
): { readonly share: number; readonly amplitude: number } => {
  let [sine, cosine, energy] = [0, 0, 0];
  samples.forEach((sample, at) => {
    const angle = (2 * Math.PI * hertz * at) / sampleRate;
    sine += sample * Math.sin(angle);
    cosine += sample * Math.cos(angle);
    energy += sample * sample;
  });
  const amplitude = (2 * Math.hypot(sine, cosine)) / samples.length;

  return { share: (amplitude * amplitude * samples.length) / 2 / energy, amplitude };
};
