/**
 * The entry point of the Worker: the app with its Durable Objects. Apart from index.ts, which the site's build imports
 * outside the Workers runtime.
 */
export { CredentialGuard } from './guard/credential-guard.ts';
export { AccountPublisher, default } from './index.ts';
