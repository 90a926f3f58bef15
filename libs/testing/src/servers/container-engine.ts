/** Whether containers can be run here, and why not. */
export type ContainerEngine =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string };

/** Asks testcontainers, which knows where engines listen. Quick either way. */
export const containerEngine = async (): Promise<ContainerEngine> => {
  const { getContainerRuntimeClient } = await import('testcontainers');
  try {
    await getContainerRuntimeClient();

    return { available: true };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
};

/** Whether tests want their servers in containers: REEL_TEST_ENGINE=testcontainers. */
export const useContainers = (): boolean => process.env['REEL_TEST_ENGINE'] === 'testcontainers';
