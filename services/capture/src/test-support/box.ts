import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { connectBus } from '@reelstream/bus';
import type { Bus } from '@reelstream/bus';
import { commandSubject, freshId, heartbeatSubject } from '@reelstream/events';
import type { CommandReply, DomainEvent, EventOf, Heartbeat, NodeState } from '@reelstream/events';
import type { Command as NodeCommand } from '@reelstream/events';
import { readManifest, readRtpdump, recordingFolder } from '@reelstream/recording';
import type { Manifest } from '@reelstream/recording';
import { startSipServer } from '@reelstream/sip-server';
import type { SipServer, SipServerOptions } from '@reelstream/sip-server';
import { boundToParent, startNats, waitFor, withOpenFiles } from '@reelstream/testing';
import type { MountableDisk, TestNats } from '@reelstream/testing';
import { SipProcess } from './sip-process.ts';
import { storedEvents } from './stored-events.ts';

const nodeId = 'capture-1';

const portsPerBox = 40;

const secret = 'box';

export type BoxOptions = {
  readonly capacity?: number;
  readonly advertise?: string;
  /** More settings of the capture process. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly mediaTimeoutMs?: number;
  readonly maxDurationMs?: number;
  /** Of the SIP server; by default the session's end is left to capture. */
  readonly sip?: Partial<SipServerOptions>;
  /** The SIP server is a process of its own, which can be killed. */
  readonly sipProcess?: boolean;
  /** How many files the capture process may have open (RLIMIT_NOFILE). */
  readonly openFiles?: number;
  /** Where everything of capture lies. */
  readonly disk?: MountableDisk;
  /** Where only the dialogs of its SIP server lie, which is a process of its own then. */
  readonly sipDisk?: MountableDisk;
};

const folderOn = async (disk: MountableDisk | undefined): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'capture-'));
  await disk?.mount(folder);

  return folder;
};

/** NATS, a SIP server and one capture process, with their own folder and ports. */
export class Box implements AsyncDisposable {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly folder: string;
  readonly #sip: SipServer | SipProcess;
  readonly #disks: readonly MountableDisk[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #openFiles: number | undefined;
  #capture: ChildProcess | undefined;
  #output = '';
  #heartbeat: Heartbeat | undefined;

  private constructor(parts: {
    nats: TestNats;
    bus: Bus;
    sip: SipServer | SipProcess;
    folder: string;
    options: BoxOptions;
    environment: Readonly<Record<string, string>>;
  }) {
    this.nats = parts.nats;
    this.bus = parts.bus;
    this.folder = parts.folder;
    this.#sip = parts.sip;
    const { disk, sipDisk } = parts.options;
    this.#disks = [sipDisk, disk].filter((one) => one !== undefined);
    this.#openFiles = parts.options.openFiles;
    this.#environment = parts.environment;
    parts.bus.subscribe(heartbeatSubject(nodeId), ({ data }) => {
      this.#heartbeat = data as Heartbeat;
    });
  }

  static async open(options: BoxOptions = {}): Promise<Box> {
    const nats = await startNats();
    const folder = await folderOn(options.disk);
    await mkdir(join(folder, 'sip'));
    await options.sipDisk?.mount(join(folder, 'sip'));
    const sip =
      options.sipProcess || options.sipDisk
        ? await SipProcess.open(join(folder, 'sip'), secret)
        : await startSipServer({
            listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
            secret,
            sessionExpiry: 'leave',
            ...options.sip,
          });
    const bus = await connectBus({ url: nats.url, name: 'test' });
    const firstPort = 20_000 + 2 * Math.floor(Math.random() * 4_000);
    const environment = {
      NATS_URL: nats.url,
      REEL_CLUSTER_KEY: Buffer.alloc(32, 1).toString('base64'),
      REEL_NODE_ID: nodeId,
      REEL_HOST_ID: 'box',
      REEL_HOST: '127.0.0.1',
      REEL_ADVERTISE: options.advertise ?? '',
      REEL_CAPTURE_SIP_PORT: '0',
      REEL_RTP_PORTS: `${firstPort}-${firstPort + portsPerBox - 1}`,
      REEL_RECORDINGS_DIR: join(folder, 'recordings'),
      REEL_CAPTURE_DIR: join(folder, 'capture'),
      REEL_CAPTURE_CAPACITY: String(options.capacity ?? 10),
      REEL_MEDIA_TIMEOUT_MS: String(options.mediaTimeoutMs ?? 300_000),
      REEL_MAX_DURATION_MS: String(options.maxDurationMs ?? 86_400_000),
      CAPTURE_SIP_SERVER: `drachtio://${sip.control.host}:${sip.control.port}?secret=${secret}`,
      ...options.settings,
    };
    const box = new Box({ nats, bus, sip, folder, options, environment });
    try {
      await box.startCapture();
    } catch (error) {
      await box[Symbol.asyncDispose]();
      throw error;
    }

    return box;
  }

  /** What the capture process has logged. */
  get output(): string {
    return this.#output;
  }

  /** Where the SIP server takes calls. */
  get target(): { readonly address: string; readonly port: number } {
    const [endpoint] = this.#sip.addresses;
    if (!endpoint) throw new Error('the SIP server listens nowhere');

    return endpoint;
  }

  /** Where it takes calls over a transport that it listens on, to be dialled. */
  uriOver(transport: 'udp' | 'tcp' | 'tls'): string {
    const endpoint = this.#sip.addresses.find(({ protocol }) => protocol === transport);

    return `sip:record@127.0.0.1:${endpoint?.port ?? 0};transport=${transport}`;
  }

  /** Starts the capture process and waits until it would take a call; with the bus away, until it says so in its log. */
  async startCapture(as: NodeState = 'ready'): Promise<void> {
    const main = join(import.meta.dirname, '..', 'main.ts');
    const { file, args } = boundToParent(
      withOpenFiles({ file: execPath, args: [main] }, this.#openFiles),
      'KILL',
    );
    this.#output = '';
    this.#heartbeat = undefined;
    const capture = spawn(file, args, {
      env: { PATH: env['PATH'], ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#capture = capture;
    for (const stream of [capture.stdout, capture.stderr])
      stream.on('data', (bytes: Buffer) => (this.#output += bytes.toString()));
    await waitFor(() => (this.#output.includes('"connected":true') ? true : undefined), {
      deadlineMs: 20_000,
      describe: () => `capture is not ready:\n${this.#output}`,
    });
    if (this.bus.connected) await this.heartbeat(({ state }) => state === as);
  }

  /** Ends the process by a signal; resolves with its exit code once it is gone. */
  async endCapture(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const capture = this.#capture;
    if (!capture || capture.exitCode !== null || capture.signalCode !== null) return null;
    capture.kill(signal);
    await once(capture, 'exit');

    return capture.exitCode;
  }

  /** Lets the process stand still, or go on: what is sent to it waits meanwhile. */
  signalCapture(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#capture?.kill(signal);
  }

  /** The SIP server, where it is a process. */
  get sipProcess(): SipProcess {
    if (this.#sip instanceof SipProcess) return this.#sip;
    throw new Error('the SIP server is no process');
  }

  /** The next heartbeat that is as wanted. */
  heartbeat(wanted: (heartbeat: Heartbeat) => boolean): Promise<Heartbeat> {
    this.#heartbeat = undefined;

    return waitFor(() => (this.#heartbeat && wanted(this.#heartbeat) ? this.#heartbeat : undefined), {
      deadlineMs: 30_000,
      describe: () => `no such heartbeat; last was ${JSON.stringify(this.#heartbeat)}\n${this.#output}`,
    });
  }

  /** Has the node do something, as the API does. */
  async command(
    command: NodeCommand['command'],
    { limitMs = 5_000, commandId = freshId() } = {},
  ): Promise<CommandReply> {
    const request = { commandId, deadline: new Date(Date.now() + limitMs).toISOString(), command };

    return (await this.bus.request(commandSubject(nodeId), request, limitMs)) as CommandReply;
  }

  /** Resolves once the process has written this into its log. */
  async logged(what: RegExp): Promise<void> {
    await waitFor(() => (what.test(this.#output) ? true : undefined), {
      deadlineMs: 30_000,
      describe: () => `${what} is not in the log:\n${this.#output}`,
    });
  }

  /** All events of the stream, once it holds one that is as wanted. */
  events(wanted: (event: DomainEvent) => boolean): Promise<readonly DomainEvent[]> {
    return waitFor(
      async () => {
        const { lastSequence } = await this.bus.events.info();
        const stored = await storedEvents(this.bus, lastSequence);

        return stored.some(wanted) ? stored : undefined;
      },
      { deadlineMs: 30_000, describe: () => `no such event on the stream\n${this.#output}` },
    );
  }

  /** The events of the session that this call became, up to its seal. */
  async sessionOf(callId: string): Promise<readonly DomainEvent[]> {
    const id = await this.#sessionIdOf(callId);
    const stored = await this.events((event) => event.type === 'recording.sealed' && event.subject === id);

    return stored.filter(({ subject }) => subject === id);
  }

  /** How that call's session ended, once it is sealed. */
  async endOf(callId: string): Promise<EventOf<'session.ended'>> {
    const ended = (await this.sessionOf(callId)).find((event) => event.type === 'session.ended');
    if (ended?.type !== 'session.ended') throw new Error(`the session of ${callId} is sealed and has no end`);

    return ended;
  }

  async #sessionIdOf(callId: string): Promise<string> {
    const isStart = (event: DomainEvent): boolean =>
      event.type === 'session.started' && event.data.dialogs.some((dialog) => dialog.callId === callId);
    const started = (await this.events(isStart)).find(isStart);

    return started?.subject ?? '';
  }

  folderOf(sessionId: string): string {
    return join(this.folder, 'recordings', recordingFolder(sessionId));
  }

  manifest(sessionId: string): Promise<Manifest> {
    return readManifest(this.folderOf(sessionId));
  }

  /** The RTP packets of a sealed track, as they came. */
  async packets(sessionId: string, trackNumber: number): Promise<readonly Buffer[]> {
    const track = (await this.manifest(sessionId)).tracks.find(
      (candidate) => candidate.trackNumber === trackNumber,
    );
    const packets: Buffer[] = [];
    for await (const { channel, packet } of readRtpdump(join(this.folderOf(sessionId), track?.rtpdump ?? '')))
      if (channel === 'rtp') packets.push(Buffer.from(packet));

    return packets;
  }

  /** Names in the outbox: sessions that are not released. */
  outbox(): Promise<readonly string[]> {
    return readdir(join(this.folder, 'capture', 'outbox'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endCapture('SIGTERM');
    await this.#sip.close();
    await this.bus[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
    for (const disk of this.#disks) await disk.unmount();
    await rm(this.folder, { recursive: true, force: true });
  }
}
