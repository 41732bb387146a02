import {allow, definePlugin, deny, type Json, rewrite} from '../../plugin-sdk/index.ts';
import {approve, approveServer, forget, forgotten, list, listing, ofServer, place, reject, show, stated} from './actions.ts';
import {visible} from './characters.ts';
import {config} from './config.ts';
import {type Decision, decided, type Why} from './decide.ts';
import type {Lent} from './rows.ts';

/** What the core hands over of a list of tools. */
type Tools = {tools: {server: string; name: string; definition: Json; definitionDigest: string}[]};
/** And of a greeting. */
type Greeting = {server: string; result: {instructions?: string}; instructionsDigest?: string};

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

const listed = ({tools}: Tools, lent: Lent) => {
	const things = tools.map(({server, name: tool, definition, definitionDigest: digest}) => ({server, tool, definition, digest}));
	const {decisions, put} = decided(things, lent);
	const left = tools.filter((_, index) => decisions[index]!.why === undefined).map(({server, name}) => ({server, name}));
	const effects = {annotate: flagged(decisions), ...(put && {put})};
	// Names are enough: which entries are meant, the gateway knows.
	return left.length === tools.length ? allow(effects) : rewrite({result: {tools: left}}, effects);
};

const greeted = ({server, result: {instructions, ...result}, instructionsDigest: digest}: Greeting, lent: Lent) => {
	if (instructions === undefined) return undefined;
	if (digest === undefined) return rewrite({result: {result}});
	const {decisions, put} = decided([{server, tool: undefined, definition: instructions, digest}], lent);
	const effects = {annotate: flagged(decisions), ...(put && {put})};
	return decisions[0]!.why === undefined ? allow(effects) : rewrite({result: {result}}, effects);
};

export default definePlugin({
	config,

	hooks: {
		/** Refuses a tool whose definition is not the pinned one: what is hidden from lists cannot be called. */
		'on-tool-call'({tool: {server, name, definition, definitionDigest: digest}}, host) {
			// No server's tool: there is nothing to pin, and nothing to call over MCP either.
			if (server === undefined || digest === undefined || definition === undefined) return undefined;
			const {decisions, put} = decided([{server, tool: name, definition: definition as Json, digest}], host);
			const {why, findings} = decisions[0]!;
			const annotate: Record<string, string> = findings.length > 0 ? {found: findings.map(({kind}) => kind).join(', ')} : {};
			if (why === undefined) return put || findings.length > 0 ? allow({annotate, ...(put && {put})}) : undefined;
			const message = `The tool "${visible(name).slice(0, 200)}" ${reasons[why]}.`;
			return deny({code: 'denied', message, rule: why, annotate, ...(put && {put})});
		},

		/** Leaves in a list of tools those that may be called, and of a server's instructions those that were approved. */
		'post-response'({operation, result}, host) {
			if (result === undefined) return undefined;
			if (operation !== 'tools/list') return greeted(result as Greeting, host);
			// A server's error in the place of a list has no tools.
			return Array.isArray((result as Partial<Tools>).tools) ? listed(result as Tools, host) : undefined;
		},
	},

	actions: {
		list: {
			description: 'What is pinned, what waits for an approval and what was rejected, by server and tool.',
			access: 'read',
			input: listing,
			run: (input, host) => list(input, host),
		},
		show: {
			description:
				'A tool (or instructions: true) as it was seen last, what was found in it, and what differs from its pin, field by field.',
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
			description: 'Forgets a tool, or instructions: true, or everything of a server: what is seen next is seen for the first time.',
			input: forgotten,
			run: (input, host) => forget(input, host),
		},
	},
});
