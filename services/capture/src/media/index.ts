export { openRecorder } from './recorder.ts';
