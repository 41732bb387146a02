import type {Operation} from '../../schemas/hooks.ts';
import type {Channel} from '../../schemas/verdict.ts';

/** What servers ask of their callers is a tool's word. */
const asked: Readonly<Partial<Record<Operation, Channel>>> = {
	'tools/call': 'tool-arguments',
	'elicitation/create': 'tool-result',
	'sampling/createMessage': 'tool-result',
};

const answered: Readonly<Partial<Record<Operation, Channel>>> = {
	initialize: 'tool-description',
	'server/discover': 'tool-description',
	'tools/list': 'tool-description',
	'prompts/list': 'tool-description',
	'resources/list': 'tool-description',
	'resources/templates/list': 'tool-description',
	'elicitation/create': 'user',
	'roots/list': 'user',
	'sampling/createMessage': 'assistant',
};

/** Where the words of an MCP request come from. */
export const channelOfRequest = (operation: Operation | undefined): Channel => (operation && asked[operation]) ?? 'user';

/** Where the words of its result come from: from a tool, unless it is known better. */
export const channelOfResult = (operation: Operation | undefined): Channel => (operation && answered[operation]) ?? 'tool-result';
