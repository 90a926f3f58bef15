export { openRecorder } from './open-recorder.ts';
