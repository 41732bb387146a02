import type {ExecutionContext} from 'ava';
import {inlineWorld, neighbour} from './inline-world.ts';

// A process of its own: it asks once, and exits with the tier open.
const nobody = {teardown: () => undefined} as Partial<ExecutionContext> as ExecutionContext;
const world = await inlineWorld(nobody, [neighbour('one'), {name: 'loops', hooks: "hooks: {'pre-request': () => { for (;;); }}"}]);
await world.ask('pre-request', {model: 'm'});
process.stdout.write('asked\n');
process.exit(0);
