/** For how long the old key of a rotation can keep working after the first use of the new one: seconds → label. */
export const OVERLAPS: Record<number, string> = {
  3600: '1 hour',
  86400: '1 day',
  604800: '7 days',
  2592000: '30 days',
};

/** What a rotation replaces. */
export const keyWord = (product: string): string => (product === 'nats' ? '.creds file' : 'key');
