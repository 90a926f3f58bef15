/** One look at the API's health: true once everything serves; else what is missing, as far as it says. */
export const checkHealth = async (apiUrl: string): Promise<true | string> => {
  try {
    const response = await fetch(`${apiUrl}/health`, { signal: AbortSignal.timeout(2_000) });
    if (response.status === 200) {
      await response.body?.cancel();

      return true;
    }

    return (await response.text()).slice(0, 500);
  } catch {
    return 'the API does not answer';
  }
};
