import {allow, definePlugin, deny, type Json, type Operation, rewrite} from '../../plugin-sdk/index.ts';
import {approve, approveServer, forget, list, reject, show} from './actions.ts';
import {visible} from './characters.ts';
import {type Config, config} from './config.ts';
import {type Decision, decided, hiddenNow, type Why} from './decide.ts';
import {forgotten, listing, ofServer, place, stated} from './inputs.ts';
import type {Lent, Place, Show} from './rows.ts';

/** What the core hands over of a list: whose each entry is, and what its server calls it. */
type Entry = {server: string; name: string; definition: Json; definitionDigest: string};
/** And of a greeting. */
type Greeting = {server: string; result: {instructions?: string}; instructionsDigest?: string};

const lists: Readonly<Partial<Record<Operation, {field: string; show: Show; also?: Config['also'][number]}>>> = {
	'tools/list': {field: 'tools', show: 'tool'},
	'prompts/list': {field: 'prompts', show: 'prompt', also: 'prompts'},
	'resources/list': {field: 'resources', show: 'resource', also: 'resources'},
	'resources/templates/list': {field: 'resourceTemplates', show: 'template', also: 'templates'},
};

const reasons: Record<Why, string> = {
	changed: 'has changed since it was approved, and waits for somebody to look at the difference',
	new: 'waits for somebody to approve it',
	found: 'waits for somebody to approve it, because of what was found in its definition',
	rejected: 'was rejected',
	'not pinned': 'is not one of those that are approved',
	crowded: 'is one of too many that its server shows',
	unnameable: 'has a name that is not taken here',
};

const flagged = (decisions: readonly Decision[]): Record<string, number> => {
	const hidden = decisions.filter(({why}) => why !== undefined).length;
	const flags = decisions.filter(({why, findings}) => why === undefined && findings.length > 0).length;
	return {...(hidden > 0 && {hidden}), ...(flags > 0 && {flagged: flags})};
};

const listed = (field: string, show: Show, entries: readonly Entry[], lent: Lent) => {
	const things = entries.map(({server, name, definition, definitionDigest: digest}) => ({server, show, name, definition, digest}));
	const {decisions, put} = decided(things, lent);
	const left = entries.filter((_, index) => decisions[index]!.why === undefined).map(({server, name}) => ({server, name}));
	const effects = {annotate: flagged(decisions), ...(put && {put})};
	// Names are enough: which entries are meant, the gateway knows.
	return left.length === entries.length ? allow(effects) : rewrite({result: {[field]: left}}, effects);
};

const textIn = (value: Json | undefined, field: string): string | undefined => {
	const found = typeof value === 'object' && value !== null && !Array.isArray(value) ? value[field] : undefined;
	return typeof found === 'string' ? found : undefined;
};

/** What a request asks for by its name; undefined where it is nothing that is pinned. */
const namedIn = (operation: Operation, params: Readonly<Record<string, Json>>): Pick<Place, 'show' | 'name'> | undefined => {
	const named = (show: Show, name: string | undefined) => (name === undefined ? undefined : {show, name});
	if (operation === 'prompts/get') return named('prompt', textIn(params, 'name'));
	if (operation === 'resources/read') return named('resource', textIn(params, 'uri'));
	const {ref} = params;
	return textIn(ref, 'type') === 'ref/prompt' ? named('prompt', textIn(ref, 'name')) : named('template', textIn(ref, 'uri'));
};

const isPinned = (show: Show, {config: {also}}: Lent): boolean =>
	Object.values(lists).some(one => one.show === show && (!one.also || also.includes(one.also)));

const greeted = ({server, result: {instructions, ...result}, instructionsDigest: digest}: Greeting, lent: Lent) => {
	if (instructions === undefined) return undefined;
	if (digest === undefined) return rewrite({result: {result}});
	const {decisions, put} = decided([{server, show: 'instructions', name: '', definition: instructions, digest}], lent);
	const effects = {annotate: flagged(decisions), ...(put && {put})};
	return decisions[0]!.why === undefined ? allow(effects) : rewrite({result: {result}}, effects);
};

export default definePlugin({
	config,

	hooks: {
		/** Refuses a prompt, a resource or a template that is hidden from lists: of these the name alone is known. */
		'pre-request'({operation, server, params}, host) {
			const named = server === undefined ? undefined : namedIn(operation, (params ?? {}) as Record<string, Json>);
			if (!named || !isPinned(named.show, host)) return undefined;
			const why = hiddenNow({server: server!, ...named}, host);
			return why && deny({code: 'denied', message: `The ${named.show} "${visible(named.name).slice(0, 200)}" ${reasons[why]}.`, rule: why});
		},

		/** Refuses a tool whose definition is not the pinned one: what is hidden from lists cannot be called. */
		'on-tool-call'({tool: {server, name, definition, definitionDigest: digest}}, host) {
			// No server's tool: there is nothing to pin, and nothing to call over MCP either.
			if (server === undefined || digest === undefined || definition === undefined) return undefined;
			const {decisions, put} = decided([{server, show: 'tool', name, definition: definition as Json, digest}], host);
			const {why, findings} = decisions[0]!;
			const annotate: Record<string, string> = findings.length > 0 ? {found: findings.map(({kind}) => kind).join(', ')} : {};
			if (why === undefined) return put || findings.length > 0 ? allow({annotate, ...(put && {put})}) : undefined;
			const message = `The tool "${visible(name).slice(0, 200)}" ${reasons[why]}.`;
			return deny({code: 'denied', message, rule: why, annotate, ...(put && {put})});
		},

		/** Leaves in a list what may be asked for, and of a server's instructions those that were approved. */
		'post-response'({operation, result}, host) {
			if (result === undefined) return undefined;
			const list = lists[operation];
			if (!list) return greeted(result as Greeting, host);
			const entries = (result as {[field: string]: Entry[] | undefined})[list.field];
			// A server's error in the place of a list has no entries.
			return entries && isPinned(list.show, host) ? listed(list.field, list.show, entries, host) : undefined;
		},
	},

	actions: {
		list: {
			description: 'What is pinned, what waits for an approval and what was rejected, by server and name.',
			access: 'read',
			input: listing,
			run: (input, host) => list(input, host),
		},
		show: {
			description:
				'A tool, prompt, template or resource (or instructions: true) as it was seen last, what was found in it, and what differs from its pin.',
			access: 'read',
			input: place,
			run: (input, host) => show(input, host),
		},
		approve: {
			description: 'Pins what was seen last: digest says what was looked at.',
			access: 'approve',
			input: stated,
			run: (input, host, caller) => approve(input, host, caller),
		},
		approveServer: {
			description: 'Pins all that waits of a server and in which nothing was found; answers what is left.',
			access: 'approve',
			input: ofServer,
			run: (input, host, caller) => approveServer(input, host, caller),
		},
		reject: {
			description: 'Hides what was seen last for good; an older pin stays what it is.',
			access: 'approve',
			input: stated,
			run: (input, host, caller) => reject(input, host, caller),
		},
		forget: {
			description: 'Forgets what is named, or everything of a server: what is seen next is seen for the first time.',
			input: forgotten,
			run: (input, host) => forget(input, host),
		},
	},
});
