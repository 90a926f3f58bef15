import type { Picture } from './pictures.ts';
import { Transcoder } from './transcoder.ts';

/** Pictures as H.264: those that came so are passed on, others transcoded. What can't be decoded is left out. */
export async function* asH264(pictures: AsyncIterable<Picture>): AsyncGenerator<Picture> {
  using transcoders = new DisposableStack();
  let transcoder: Transcoder | undefined;
  for await (const picture of pictures) {
    if (picture.codec === 'H264') {
      yield picture;
      continue;
    }
    transcoder ??= transcoders.use(new Transcoder());
    yield* transcoder.take(picture);
  }
}
