import {type Child, startChild} from './child.ts';
import type {HostScript} from './script.ts';

/** After it gave one away, a new spare is started only when the worst is over. */
const restMs = 300;

export type Spares = {take(): Child /** From now on there is always one that is warm. */; keep(): void; close(): Promise<void>};

/** Plugin hosts that have started and have no plugins yet: what comes after a kill need not wait for a process to start. */
export const openSpares = (script: HostScript): Spares => {
	let spare: Child | undefined;
	let keeping = false;
	let timer: NodeJS.Timeout | undefined;
	const alive = new Set<Child>();
	// A host that hangs does not see that its gateway is gone.
	const killAll = (): void => {
		for (const child of alive) child.kill('the gateway ended');
	};
	process.once('exit', killAll);
	const start = (): Child => {
		const child: Child = startChild(script, () => alive.delete(child));
		alive.add(child);
		return child;
	};
	const warm = (): void => {
		if (!spare || spare.gone) spare = start();
	};

	return {
		take() {
			const child = spare && !spare.gone ? spare : start();
			spare = undefined;
			if (keeping) {
				clearTimeout(timer);
				timer = setTimeout(warm, restMs).unref();
			}
			return child;
		},
		keep() {
			if (keeping) return;
			keeping = true;
			warm();
		},
		async close() {
			clearTimeout(timer);
			keeping = false;
			await spare?.end();
			process.off('exit', killAll);
		},
	};
};
