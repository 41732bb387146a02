import {randomUUID} from 'node:crypto';
import {type HookName, hookNames} from '../../schemas/hooks.ts';
import type {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Fields, Hooks, Member} from '../hooks.ts';

/** One call of a hook in which plugins may ask models, until all have answered. */
export type AskingCall = {
	readonly exchange: Exchange;
	/** How many questions each plugin has asked in it. */
	readonly asked: Map<string, number>;
	/** Those under way, and how each is ended. */
	readonly underWay: Set<(error: GatewayError) => void>;
};

export type AskingCalls = {
	/** The call that a plugin was told this name of; undefined once it is over. */
	find(name: string): AskingCall | undefined;
	/** The same hooks, that tell the plugins which ask models what call they are in. */
	named(hooks: Hooks): Hooks;
};

const readsAsking = ({plugin}: Member, hook: HookName): boolean => plugin.manifest.hooks[hook]?.reads.includes('asking') === true;

/** `onOver` hears of each call that plugins were told of when it is over. */
export const openAskingCalls = (onOver: (call: AskingCall) => void): AskingCalls => {
	const open = new Map<string, AskingCall>();

	/** Gets its name when the first plugin asks for it. */
	const begin = (exchange: Exchange, fields: Fields): {fields: Fields; end: () => void} => {
		let name: string | undefined;
		const named = (): string => {
			name ??= randomUUID();
			if (!open.has(name)) open.set(name, {exchange, asked: new Map(), underWay: new Set()});
			return name;
		};
		return {
			fields: path => (path === 'asking' ? named() : fields(path)),
			end() {
				const call = name === undefined ? undefined : open.get(name);
				if (!call) return;
				open.delete(name!);
				onOver(call);
			},
		};
	};

	return {
		find: name => open.get(name),
		named(hooks) {
			const where = new Set(hookNames.filter(hook => hooks.members.some(member => readsAsking(member, hook))));
			if (where.size === 0) return hooks;
			const within = async (name: HookName, exchange: Exchange, fields: Fields, work: (own: Fields) => Promise<void>): Promise<void> => {
				if (!where.has(name)) return work(fields);
				const call = begin(exchange, fields);
				try {
					await work(call.fields);
				} finally {
					call.end();
				}
			};
			return {
				...hooks,
				ask: (name, exchange, fields, carry, onEdited) =>
					within(name, exchange, fields, own => hooks.ask(name, exchange, own, carry, onEdited)),
				again: (name, exchange, fields, carry) => within(name, exchange, fields, own => hooks.again(name, exchange, own, carry)),
				askWindow(exchange, member, fields) {
					if (!readsAsking(member, 'post-response')) return hooks.askWindow(exchange, member, fields);
					const call = begin(exchange, fields);
					const verdict = hooks.askWindow(exchange, member, call.fields);
					if (verdict instanceof Promise) return verdict.finally(call.end);
					call.end();
					return verdict;
				},
			};
		},
	};
};
