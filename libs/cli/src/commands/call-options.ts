import { readFile } from 'node:fs/promises';
import { parseWav, sampleConversation, WavError } from '@reelstream/testing/callers';
import type { Audio, CallerTransport, CallLeg, SrtpSuiteName } from '@reelstream/testing/callers';
import { textOption } from '../command.ts';
import type { Values } from '../command.ts';
import { usageError } from '../errors.ts';

/** What `reel call` was asked for, checked. */
export type CallRequest = {
  readonly target: string;
  readonly transport: CallerTransport;
  /** Suite of the media's encryption; undefined: plain RTP. */
  readonly srtp: SrtpSuiteName | undefined;
  readonly durationMs: number | undefined;
  readonly files: readonly string[];
};

const longestSeconds = 24 * 3600;

const secondsOf = (text: string): number => {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= longestSeconds)) {
    throw usageError(`--seconds ${text}: wanted a number above 0, at most ${longestSeconds}`);
  }

  return seconds;
};

/** A URI without a user part gets one: what is dialled to be recorded. */
const dial = (uri: string): string => {
  const text = /^sips?:/i.test(uri) ? uri : `sip:${uri}`;
  if (!/^sip:[^\s<>]+$/i.test(text)) throw usageError(`--to ${uri}: wanted sip:user@host:port`);

  return text.includes('@') ? text : text.replace(/^sip:/i, 'sip:record@');
};

/** Keys stand in the SDP, so an encrypted call goes over TLS unless another transport is asked for. */
const transportOf = (values: Values): CallerTransport => {
  const asked = textOption(values, 'transport');
  const isSecure = values['tls'] === true || values['srtp'] === true;
  if (isSecure && values['tls'] === true && asked !== undefined && asked !== 'tls')
    throw usageError(`--tls and --transport ${asked}: wanted one of them`);
  const transport = asked ?? (isSecure ? 'tls' : 'tcp');
  if (transport !== 'tcp' && transport !== 'udp' && transport !== 'tls')
    throw usageError(`--transport ${transport}: wanted tcp, udp or tls`);

  return transport;
};

/** Where a call goes that names nobody. */
const pilotOf = ({ sipUri, sipTlsUri }: Places, transport: CallerTransport): string => {
  if (transport !== 'tls') return sipUri;
  if (sipTlsUri === undefined)
    throw usageError('this system takes no SIP over TLS: set REEL_SIP_TLS_PORT for it, or give --to');

  return sipTlsUri;
};

type Places = { readonly sipUri: string; readonly sipTlsUri?: string };

/** Reads the options of a call; the pilot is dialled where nobody is named. Throws CliError. */
export const readCallRequest = (
  values: Values,
  positionals: readonly string[],
  places: Places,
): CallRequest => {
  const transport = transportOf(values);
  const seconds = textOption(values, 'seconds');
  const given = values['file'];
  const first = Array.isArray(given) ? given.filter((file): file is string => typeof file === 'string') : [];
  const files = [...first, ...positionals];
  if (first.length === 0 && positionals.length > 0)
    throw usageError(`${positionals[0]}? Give files behind --file`);
  if (files.length > 2) throw usageError('two files at most: one for each voice');

  return {
    target: dial(textOption(values, 'to') ?? pilotOf(places, transport)),
    transport,
    srtp: values['srtp'] === true ? 'AES_CM_128_HMAC_SHA1_80' : undefined,
    durationMs: seconds === undefined ? undefined : secondsOf(seconds) * 1000,
    files,
  };
};

const readAudio = async (file: string): Promise<Audio> => {
  let audio: Audio;
  try {
    audio = parseWav(await readFile(file));
  } catch (error) {
    if (error instanceof WavError) throw usageError(`${file} can't be used: ${error.message}`);
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usageError(code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read: ${code}`);
  }
  if (audio.sampleRate !== 8_000) {
    throw usageError(
      `${file} has ${audio.sampleRate} samples a second, a call has 8000. Convert it first:\n` +
        `  ffmpeg -i ${file} -ar 8000 8k.wav`,
    );
  }

  return audio;
};

/** The two voices: of two files, of the channels of one, or the built-in sample; all equally long. */
const voicesOf = async (files: readonly string[]): Promise<readonly [Int16Array, Int16Array]> => {
  if (files.length === 0) {
    const { agent, customer } = sampleConversation();

    return [agent, customer];
  }
  const channels = (await Promise.all(files.map(readAudio))).map(({ channels: found }) => found);
  const [first, second] = channels.length === 1 ? (channels[0] ?? []) : channels.map((found) => found[0]);
  const length = Math.max(first?.length ?? 0, second?.length ?? 0);
  if (length === 0) throw usageError(`${files.join(' and ')} hold no sound`);
  const padded = (voice: Int16Array | undefined): Int16Array => {
    const samples = new Int16Array(length);
    samples.set(voice ?? []);

    return samples;
  };

  return [padded(first), padded(second)];
};

/** The legs of the call: the agent in mu-law, the customer in A-law. */
export const legsOf = async (files: readonly string[]): Promise<readonly CallLeg[]> => {
  const [agent, customer] = await voicesOf(files);

  return [
    { codec: 'PCMU', audio: { samples: agent }, address: 'sip:anna@harbour.example', name: 'Anna' },
    {
      codec: 'PCMA',
      audio: { samples: customer },
      address: 'sip:+442079460123@phone.example',
      name: 'Customer',
    },
  ];
};
