/** A vitest reporter that prints the slowest test files after the summary. */
import { relative } from 'node:path';
import type { Reporter, Vitest } from 'vitest/node';

const COUNT = 10;

export function slowestFiles(): Reporter {
  let vitest: Vitest;
  return {
    onInit(context) {
      vitest = context;
    },
    onTestRunEnd(modules) {
      const files = modules.map((module) => {
        const { collectDuration, setupDuration, duration } = module.diagnostic();
        return {
          path: relative(vitest.config.root, module.moduleId),
          time: collectDuration + setupDuration + duration,
        };
      });
      if (files.length <= COUNT) return;
      const slowest = files.sort((a, b) => b.time - a.time).slice(0, COUNT);
      const lines = slowest.map(({ path, time }) => `${(time / 1000).toFixed(1).padStart(8)} s  ${path}`);
      vitest.logger.log(`The ${COUNT} slowest files:\n${lines.join('\n')}\n`);
    },
  };
}
