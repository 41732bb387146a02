import {type Edge, PatternRefused, type Tree} from './parse.ts';

/** One step: take a character, go on where an edge is, go two ways (the first is preferred), or be done. */
export type Step =
	| {kind: 'take'; atom: number; to: number}
	| {kind: 'edge'; edge: Edge; to: number}
	| {kind: 'split'; to: number; or: number}
	| {kind: 'done'};

export type Program = {steps: readonly Step[]; start: number};

const mostSteps = 600;

/** How many steps a tree becomes. Repeats are written out, so this is known before any is. */
const sizeOf = (tree: Tree): number => {
	if (tree.kind === 'all' || tree.kind === 'any') return tree.parts.reduce((sum, part) => sum + sizeOf(part) + 1, 0);
	if (tree.kind !== 'repeat') return 1;
	const {part, least, most} = tree;
	return (sizeOf(part) + 1) * (most === Number.POSITIVE_INFINITY ? least + 1 : most) + 1;
};

const mirrored: Readonly<Record<Edge, Edge>> = {start: 'end', end: 'start', 'word-edge': 'word-edge', 'no-word-edge': 'no-word-edge'};

/** Writes a tree as steps; `backward` for a text that is read from its end. Throws `PatternRefused` for what would be too many. */
export const programOf = (tree: Tree, backward: boolean): Program => {
	if (sizeOf(tree) > mostSteps)
		throw new PatternRefused(`it becomes more than ${mostSteps} steps when its repeats are written out; repeat less`);
	const steps: Step[] = [];
	const add = (step: Step): number => steps.push(step) - 1;

	/** A loop comes back to its own split, so that is put down first. */
	const loop = (part: Tree, to: number, lazy: boolean): number => {
		const at = add({kind: 'done'});
		const body = write(part, at);
		steps[at] = lazy ? {kind: 'split', to, or: body} : {kind: 'split', to: body, or: to};
		return at;
	};

	/** Writes `tree` in front of what is at `to`; answers where it begins. */
	const write = (tree: Tree, to: number): number => {
		if (tree.kind === 'atom') return add({kind: 'take', atom: tree.atom, to});
		if (tree.kind === 'edge') return add({kind: 'edge', edge: backward ? mirrored[tree.edge] : tree.edge, to});
		if (tree.kind === 'all') {
			const ordered = backward ? tree.parts : tree.parts.toReversed();
			return ordered.reduce((next, part) => write(part, next), to);
		}
		if (tree.kind === 'any') {
			const [last, ...others] = tree.parts.toReversed().map(part => write(part, to));
			return others.reduce((or, each) => add({kind: 'split', to: each, or}), last!);
		}
		const {part, least, most, lazy} = tree;
		let next = most === Number.POSITIVE_INFINITY ? loop(part, to, lazy) : to;
		for (let times = least; times < most && most !== Number.POSITIVE_INFINITY; times++) {
			const body = write(part, next);
			next = add(lazy ? {kind: 'split', to, or: body} : {kind: 'split', to: body, or: to});
		}
		for (let times = 0; times < least; times++) next = write(part, next);
		return next;
	};

	const done = add({kind: 'done'});
	const first = write(tree, done);
	// A beginning that no loop comes back to: whoever is there has read nothing.
	return {start: add({kind: 'split', to: first, or: first}), steps};
};

/** Whether it is done without having taken a character, where all edges are as it wants them. */
export const matchesNothing = ({steps, start}: Program): boolean => {
	const seen = new Set<number>();
	const open = [start];
	for (let at = open.pop(); at !== undefined; at = open.pop()) {
		if (seen.has(at)) continue;
		seen.add(at);
		const step = steps[at]!;
		if (step.kind === 'done') return true;
		if (step.kind === 'edge') open.push(step.to);
		if (step.kind === 'split') open.push(step.to, step.or);
	}
	return false;
};
