import { readFileSync } from 'node:fs';
import { parseWav } from './wav.ts';

/** Two people talking, 8 kHz, 16-bit linear, equally long; each is silent while the other talks. */
export type Conversation = {
  readonly sampleRate: 8000;
  readonly agent: Int16Array;
  readonly customer: Int16Array;
};

/** Who talks when in the file: first sample, and the one behind the last. */
const turns = [
  { speaker: 'agent', from: 1_920, to: 24_640 },
  { speaker: 'customer', from: 27_840, to: 54_240 },
  { speaker: 'agent', from: 57_120, to: 84_800 },
  { speaker: 'customer', from: 87_200, to: 108_800 },
] as const;

/** The built-in sample: an agent and a customer move a ferry booking, 13.84 s. */
export const sampleConversation = (): Conversation => {
  const { channels } = parseWav(readFileSync(new URL('../../../samples/conversation.wav', import.meta.url)));
  const samples = channels[0] ?? new Int16Array(0);
  const voices = { agent: new Int16Array(samples.length), customer: new Int16Array(samples.length) };
  for (const { speaker, from, to } of turns) voices[speaker].set(samples.subarray(from, to), from);

  return { sampleRate: 8000, ...voices };
};
