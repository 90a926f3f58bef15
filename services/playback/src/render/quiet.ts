import { AV_LOG_QUIET } from 'node-av/constants';
import { Log } from 'node-av/lib';

// What broken media makes FFmpeg say goes nowhere: it is counted.
Log.setLevel(AV_LOG_QUIET);
