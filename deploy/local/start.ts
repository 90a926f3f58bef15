// `npm start`: one of everything on this machine, in the foreground. Settings: reelstream.env.
import { runLauncher } from './launcher/run.ts';

await runLauncher({ env: process.env, args: process.argv.slice(2) });
