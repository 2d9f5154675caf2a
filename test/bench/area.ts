/**
 * The interface of a benchmark area: it measures with shared resources and returns figures, each with its baseline.
 */
import type { Stack } from '../stack/stack.ts';

/** Shared by the areas of a run. */
export interface Bench {
  /** The number of measured rounds. Every round measures every candidate. */
  rounds: number;
  /** Returns the local stack, started on the first call. The Owner's project has Queues active in every region. */
  stack(): Promise<Stack>;
  /** The stack's state folder, an absolute path. */
  state: string;
}

/** One measured value for each round. */
export interface Figure {
  /** What was measured: `SendMessage, 16 connections`. */
  measure: string;
  /** The unit: `/s`, `ms`, `µs`, `bytes`. */
  unit: string;
  values: readonly number[];
  /** The baseline: measured in the same rounds, or one value for all rounds. */
  baseline?: { of: string; values: readonly number[]; latency?: Latency } | undefined;
  /** The latencies, if the values are rates per second. */
  latency?: Latency;
  /**
   * The target for the ratio of value to baseline, or for the value without a baseline: `≤ 2`. A miss fails nothing.
   */
  aim?: string | undefined;
}

/** Latencies in milliseconds. */
export interface Latency {
  /** One for each round. */
  p50: readonly number[];
  /** One for all rounds together: a single round has too few requests. */
  p99: readonly [number];
}

/** A benchmark area. */
export interface Area {
  name: string;
  measure(bench: Bench): Promise<Figure[]>;
}
