import ivm from 'isolated-vm';

type Watched = {
	isolate: ivm.Isolate;
	/** [0] is odd while inside; [1] is who runs, or -1. */
	beats: Int32Array;
	/** Most milliseconds of each resident, by index. */
	limitsMs: readonly number[];
};

const ticks = 5;

/** A thread that waits would keep the process from ending. One listener for all, however many gateways a process holds. */
const waiting = new Set<() => void>();
const stopAll = (): void => {
	for (const stop of waiting) stop();
};

/**
 * Watches heartbeats from another thread and disposes an isolate in which one resident runs longer than its limit. It costs
 * nothing per call, and it stops what a timeout inside the isolate cannot. Time in which this machine did not let the watcher
 * run either is not counted.
 */
export const watch = ({isolate: target, beats, limitsMs}: Watched): {stop(): void} => {
	const watcher = new ivm.Isolate({memoryLimit: 8});
	const bell = new Int32Array(new SharedArrayBuffer(4));
	const pauseMs = Math.max(5, Math.floor(Math.min(...limitsMs) / ticks));
	const tick = Int32Array.from(limitsMs, limitMs => Math.ceil(limitMs / pauseMs));
	void watcher
		.createContextSync()
		.evalClosure(
			`const [target, beats, bell, limits, most, pauseMs] = [$0, new Int32Array($1), new Int32Array($2), new Int32Array($3), $4, $5];
			let seen = -1, ticks = 0;
			while (Atomics.wait(bell, 0, 0, pauseMs) === 'timed-out') {
				const beat = Atomics.load(beats, 0);
				if (beat !== seen || beat % 2 === 0) { seen = beat; ticks = 0; continue; }
				const resident = Atomics.load(beats, 1);
				if (++ticks < (resident < 0 ? most : limits[resident])) continue;
				try { target.dispose(); } catch {}
				return;
			}`,
			[
				target,
				new ivm.ExternalCopy(beats.buffer).copyInto(),
				new ivm.ExternalCopy(bell.buffer).copyInto(),
				new ivm.ExternalCopy(tick.buffer).copyInto(),
				Math.max(...tick),
				pauseMs,
			],
		)
		.catch(() => undefined)
		.finally(() => {
			if (!watcher.isDisposed) watcher.dispose();
		});
	const stop = () => {
		Atomics.store(bell, 0, 1);
		Atomics.notify(bell, 0);
	};
	if (waiting.size === 0) process.once('exit', stopAll);
	waiting.add(stop);
	return {
		stop() {
			waiting.delete(stop);
			if (waiting.size === 0) process.off('exit', stopAll);
			stop();
		},
	};
};
