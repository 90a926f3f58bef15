import type { Database, Kysely } from '@reelstream/store';

/** Whether there is such a media file to play. */
export const mediaFileExists = async (db: Kysely<Database>, mediaFileId: string): Promise<boolean> => {
  const row = await db
    .selectFrom('media_file')
    .select('media_file_id')
    .where('media_file_id', '=', mediaFileId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();

  return row !== undefined;
};
