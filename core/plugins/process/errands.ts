import type {SayBody, StartBody} from '../host/frames.ts';
import type {Admitted} from '../tier.ts';

type Errands = {
	/** Sends {value} or {error} back, as work for the plugin. */
	send(plugin: Admitted, text: string): void;
	find(name: string): Admitted | undefined;
	onFlood(): void;
};

const mostStarted = 1_000;
const mostSaidPerSecond = 500;
const operations = {say: ['log.info', 'log.warn', 'metrics.count'], start: ['kv.put', 'http.fetch', 'models.ask']};

/** Does for a plugin what it asks for from its host, with the rights it was granted and no others. */
export const openErrands = ({send, find, onFlood}: Errands) => {
	let generation = 0;
	let started = 0;
	let said = 0;
	let saidSince = 0;

	const owner = (name: unknown): Admitted => {
		const plugin = typeof name === 'string' ? find(name) : undefined;
		if (!plugin) throw new Error('a host call for nobody');
		return plugin;
	};

	return {
		start(text: string): void {
			const [name, start, operation, argument] = JSON.parse(text) as StartBody;
			const plugin = owner(name);
			if (!operations.start.includes(operation) || typeof argument !== 'string') throw new Error('a host call that there is not');
			if (++started > mostStarted) {
				onFlood();
				return;
			}
			const begun = generation;
			const done = (json: string): void => {
				if (begun !== generation) return;
				started--;
				send(plugin, JSON.stringify([plugin.name, start, json]));
			};
			const refused = plugin.lender.start(operation, argument, done);
			if (refused !== '') done(`{"error":${refused.slice(1)}}`);
		},
		/** Beyond so many a second they are dropped: a plugin must not keep the gateway busy with its log. */
		say(text: string): void {
			const now = performance.now();
			if (now - saidSince > 1_000) {
				saidSince = now;
				said = 0;
			}
			if (++said > mostSaidPerSecond) return;
			const [name, operation, argument] = JSON.parse(text) as SayBody;
			const plugin = owner(name);
			if (!operations.say.includes(operation) || typeof argument !== 'string') throw new Error('a host call that there is not');
			plugin.lender.call(operation, argument);
		},
		/** The process that asked is gone; nobody waits for what is still under way. */
		forget(): void {
			generation++;
			started = 0;
		},
	};
};
