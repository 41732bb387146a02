import {isObject} from '../llm/json.ts';
import {stamp} from './hop.ts';
import {listsOf} from './hub.ts';
import type {ServerFacts} from './link.ts';
import type {McpProcess} from './stdio-process.ts';

/** Told of what is watched whenever that changes; undefined: of nothing at all. */
export type Telling = (uris: readonly string[] | undefined) => void;

const patienceMs = 5_000;

/** Each resource for itself, where the server lets itself be asked; of its lists it tells everybody. */
const bySubscription = ({capabilities}: ServerFacts, {ask}: McpProcess): Telling => {
	const {resources} = capabilities;
	if (!isObject(resources) || resources.subscribe !== true) return () => undefined;
	let told: ReadonlySet<string> = new Set();
	const say = (method: string, uri: string): void => void ask(method, {uri}, {timeoutMs: patienceMs}).catch(() => undefined);
	return (uris = []) => {
		const before = told;
		told = new Set(uris);
		for (const uri of told) if (!before.has(uri)) say('resources/subscribe', uri);
		for (const uri of before) if (!told.has(uri)) say('resources/unsubscribe', uri);
	};
};

/** Everything in one request that stays. */
const byListening = ({capabilities}: ServerFacts, {open}: McpProcess): Telling => {
	let end = (): void => undefined;
	let told = '';
	return uris => {
		const now = JSON.stringify(uris) ?? '';
		if (now === told) return;
		told = now;
		const before = end;
		const notifications = {...listsOf(capabilities), ...(uris && uris.length > 0 && {resourceSubscriptions: uris})};
		end = uris ? open('subscriptions/listen', stamp({notifications})) : () => undefined;
		// The new one begins before the old one ends: a change heard twice is better than one not heard.
		before();
	};
};

/** Tells one process, in the words of its era. */
export const tellingOf = (facts: ServerFacts, process: McpProcess): Telling =>
	(facts.era === 'stateless' ? byListening : bySubscription)(facts, process);
