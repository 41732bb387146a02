import ivm from 'isolated-vm';

/**
 * Watches heartbeats from another thread and disposes an isolate that stays inside one entry longer than `limitMs`. It
 * costs nothing per call, and it stops what a timeout inside the isolate cannot. `beats[0]` is odd while inside.
 */
export const watch = (target: ivm.Isolate, beats: Int32Array, limitMs: number): {stop(): void} => {
	const watcher = new ivm.Isolate({memoryLimit: 8});
	const bell = new Int32Array(new SharedArrayBuffer(4));
	const context = watcher.createContextSync();
	const pauseMs = Math.max(5, Math.floor(limitMs / 4));
	void context
		.evalClosure(
			`const [target, beats, bell, limitMs, pauseMs] = [$0, new Int32Array($1), new Int32Array($2), $3, $4];
			let seen = -1, since = Date.now();
			while (Atomics.wait(bell, 0, 0, pauseMs) === 'timed-out') {
				const beat = Atomics.load(beats, 0);
				if (beat !== seen || beat % 2 === 0) { seen = beat; since = Date.now(); continue; }
				if (Date.now() - since < limitMs) continue;
				try { target.dispose(); } catch {}
				return;
			}`,
			[target, new ivm.ExternalCopy(beats.buffer).copyInto(), new ivm.ExternalCopy(bell.buffer).copyInto(), limitMs, pauseMs],
		)
		.catch(() => undefined)
		.finally(() => {
			if (!watcher.isDisposed) watcher.dispose();
		});
	const stop = () => {
		Atomics.store(bell, 0, 1);
		Atomics.notify(bell, 0);
	};
	// A thread that waits would keep the process from ending.
	process.once('exit', stop);
	return {
		stop() {
			process.off('exit', stop);
			stop();
		},
	};
};
