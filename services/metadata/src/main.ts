import { run } from '@reelstream/service';
import { loadMetadataConfig } from './config.ts';
import { startMetadata } from './service.ts';

await run(() => startMetadata(loadMetadataConfig(process.env)));
