import {GatewayError} from '../../errors.ts';
import {lend} from '../../sandbox/capabilities.ts';
import type {Lender} from '../../sandbox/isolate.ts';
import {openEntries} from '../../store/entries.ts';
import type {Guest} from './frames.ts';

/** The wire to the gateway, as a plugin's lender needs it. */
export type Wire = {
	/** Asks the gateway to do it with the plugin's own rights; resolves with {value} or {error}, as JSON. */
	start(plugin: string, operation: string, argument: string): Promise<string>;
	say(plugin: string, operation: string, argument: string): void;
	/** Something may run on a plugin's account after the entry that is on now. */
	stir(): void;
	/** As long as it is held, whatever runs does so on account of the frame at hand. */
	hold(): () => void;
};

export type Lent = {lender: Lender; change(entries: Record<string, string | null>): void};

/** What a plugin borrows in its host: reads from a replica of its namespace, everything else from the gateway. */
export const lendHere = ({name, capabilities, secrets, kv}: Guest, {start, say, stir, hold}: Wire): Lent => {
	const space = openEntries();
	space.change(Object.entries(kv));
	const done = async (operation: string, argument: string): Promise<never> => {
		const {value, error} = JSON.parse(await start(name, operation, argument));
		if (error) throw new GatewayError(error.code, error.message);
		return value as never;
	};

	const lender = lend({
		name,
		granted: new Set(capabilities) as Parameters<typeof lend>[0]['granted'],
		kv: {
			get: space.get,
			list: space.list,
			// The gateway sends the change itself, once it is durable and before it answers.
			put: entries => done('kv.put', `{${Object.entries(entries).map(([key, json]) => `${JSON.stringify(key)}:${json}`)}}`),
		},
		secrets,
		http: request => done('http.fetch', JSON.stringify(request)),
		ask: question => done('models.ask', JSON.stringify(question)),
		log: (level, message, facts) => say(name, `log.${level}`, JSON.stringify({message, facts})),
		count: (counter, by) => say(name, 'metrics.count', JSON.stringify({name: counter, by})),
		now: Date.now,
	});

	return {
		lender: {
			call: lender.call,
			start(operation, argument, settle) {
				stir();
				return lender.start(operation, argument, json => {
					const release = hold();
					settle(json);
					// The isolate is resumed in an immediate of its own, which is before this one.
					setImmediate(release);
				});
			},
		},
		change: entries => space.change(Object.entries(entries)),
	};
};
