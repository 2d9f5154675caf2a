/**
 * A user, a session and its cookies from an earlier version of Latchkey, which used a library for sign-in. Recorded
 * from that version; nothing here is computed.
 */

/** The secret that signed the cookies. */
export const SIGN_IN_SECRET = '488d0a63-eef4-4e31-aaf1-37ba14b475554a21195e-faf7-4a1a-a0d6-5a354b53bc02';

export const EMAIL = '2f2f7d55-b955-48c9-a104-b8a9e18f05fa@example.com';
export const PASSWORD = 'ec7f05fc-9c14-404e-a044-dbba73d92d82';

/** The cookies of two sessions as a browser sends them, with TLS and without. */
export const COOKIES = {
  'https://latchkey.test':
    '__Secure-latchkey.session_token=COJUrCipp2XnBNgRjUjJIQu0o8FGhEO2.sR5KVC1UIp%2Fij4Cg3OOCWwIHh6YCvgwexAg%2BscAI9EE%3D',
  'http://localhost:8787':
    'latchkey.session_token=Yzs0bskmF0Z5zzKYZguVWjPdPrK0YdIK.%2BzsfHgiaV2w8N1jBbJOWllMY17rEnaX%2FSAKVXaxteUY%3D',
};

/** The rows, by table. */
export const ROWS: [table: string, row: Record<string, string | number | null>][] = [
  [
    'users',
    {
      id: 'ecaa5cb6-4ee2-4233-b980-854d5ff7e446',
      name: '2f2f7d55-b955-48c9-a104-b8a9e18f05fa@example.com',
      email: '2f2f7d55-b955-48c9-a104-b8a9e18f05fa@example.com',
      email_verified: 1,
      image: null,
      created_at: 1795817593814,
      updated_at: 1795817593814,
    },
  ],
  [
    'sign_in_methods',
    {
      id: '4d23ff1f-992c-49f8-ab9f-9ade9bbfa1e9',
      account_id: 'ecaa5cb6-4ee2-4233-b980-854d5ff7e446',
      provider_id: 'credential',
      user_id: 'ecaa5cb6-4ee2-4233-b980-854d5ff7e446',
      password: 'scrypt:16384:8:5:wo8qj/feMwSEn5VcUqg6SA==:F1G+pd8hV4US+iRl7Z9M5J01+wzGKHix80ATPXubmP8=',
      created_at: 1795817593814,
      updated_at: 1795817593814,
    },
  ],
  [
    'sessions',
    {
      id: 'd98b59df-3c57-4c13-bdfd-f890a58fbe84',
      token: 'COJUrCipp2XnBNgRjUjJIQu0o8FGhEO2',
      user_id: 'ecaa5cb6-4ee2-4233-b980-854d5ff7e446',
      expires_at: 1796422394429,
      ip_address: '2001:0db8:0000:0000:0000:0000:0000:0000',
      user_agent: 'Fixture/1',
      created_at: 1795817594386,
      updated_at: 1795817594429,
    },
  ],
  [
    'sessions',
    {
      id: 'b335d01a-57d5-4b02-ac85-96e5c514d131',
      token: 'Yzs0bskmF0Z5zzKYZguVWjPdPrK0YdIK',
      user_id: 'ecaa5cb6-4ee2-4233-b980-854d5ff7e446',
      expires_at: 1796422394720,
      ip_address: '2001:0db8:0000:0000:0000:0000:0000:0000',
      user_agent: 'Fixture/1',
      created_at: 1795817594694,
      updated_at: 1795817594720,
    },
  ],
];
