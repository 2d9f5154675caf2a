/**
 * The engine of one region's queues and topics: fauxqs in its own process, on 127.0.0.1, its data in the state
 * folder. It checks no key: only this machine can reach it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import type { engineSettings } from '../../functions/shared/regions.ts';
import { type ServerProcess, serverProcess } from './server-process.ts';

/** The settings of an engine. */
export interface EngineSettings {
  region: string;
  /** A folder for its data and log. */
  folder: string;
  port: number;
  /** Whether it restarts after it ends by itself. */
  restart: boolean;
}

/** An engine of the stack. */
export interface EngineServer extends ServerProcess {
  /** `http://127.0.0.1:PORT`. */
  url: string;
}

/** The account in every ARN of fauxqs. */
const ACCOUNT = '000000000000';

/** The key that the Worker signs with, in the format of its secret. Any value would do. */
export const ENGINE_KEY = JSON.stringify({ access_key_id: 'ENGINEOPERATOR', secret_access_key: 'local' });

/** Returns the `engine` entry of a region in the `REGIONS` var. */
export function engineEntry(region: string, port: number | undefined): z.output<typeof engineSettings> {
  const url = `http://127.0.0.1:${port}`;
  const names = { region, account: ACCOUNT, partition: 'aws' };
  return { sqs_endpoint: url, sns_endpoint: url, ...names, https_subscriptions: false };
}

/** Creates an engine without starting it. `onSpawn` is called with each started process, immediately. */
export function engineServer(settings: EngineSettings, onSpawn: (pid: number) => void): EngineServer {
  const { region, folder, port, restart } = settings;
  const program = join(import.meta.dirname, 'engine-process.ts');
  const server = serverProcess(
    {
      name: `queue engine for ${region}`,
      program: process.execPath,
      args: [program, String(port), folder, region],
      log: join(folder, 'engine.log'),
      port,
      restart,
    },
    onSpawn,
  );
  return {
    ...server,
    url: `http://127.0.0.1:${port}`,
    async start() {
      mkdirSync(folder, { recursive: true });
      await server.start();
    },
  };
}
