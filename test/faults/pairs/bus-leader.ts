import type { TestNats, TestNatsCluster } from '@reelstream/testing';
import { waitFor } from '@reelstream/testing';

type Jsz = {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly cluster?: { readonly leader?: string };
    }[];
  }[];
};

const leaderOf = async (server: TestNats, stream: string): Promise<string | undefined> => {
  const response = await fetch(`${server.monitorUrl}/jsz?accounts=true&streams=true&config=false`);
  const { account_details: accounts } = (await response.json()) as Jsz;

  return accounts?.flatMap(({ stream_detail: streams }) => streams ?? []).find(({ name }) => name === stream)
    ?.cluster?.leader;
};

/** The server that leads the stream behind a bucket; its servers are named nats-1, nats-2 … in their order. */
export const leadingServer = ({ servers }: TestNatsCluster, bucket: string): Promise<TestNats> =>
  waitFor(
    async () => {
      for (const server of servers) {
        const leader = await leaderOf(server, `KV_${bucket}`).catch(() => undefined);
        const led = leader === undefined ? undefined : servers[Number(leader.split('-').at(-1)) - 1];
        if (led) return led;
      }

      return undefined;
    },
    { deadlineMs: 20_000, describe: `bucket ${bucket} has no leader` },
  );
