import type {Json, Operation} from '../../plugin-sdk/index.ts';
import {decide, type Question} from './decide.ts';
import type {Right} from './rights.ts';

type Params = Readonly<Record<string, Json>> | undefined;

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const fieldOf = (value: Json | undefined, field: string): Json | undefined =>
	typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, field) ? value[field] : undefined;

/** What is completed is a prompt's argument, or an address's. */
const completed = (ref: Json | undefined): Question =>
	fieldOf(ref, 'type') === 'ref/prompt' ? {prompt: textOf(fieldOf(ref, 'name'))} : {resource: textOf(fieldOf(ref, 'uri'))};

/** What an MCP request asks for; undefined for what is none. Of a tool, on-tool-call decides; of a list, each entry by itself. */
export const ofMcp = (operation: Operation, server: string | undefined, params: Params): Question | undefined => {
	switch (operation) {
		case 'chat':
		case 'embeddings':
		case 'messages':
		case 'count_tokens':
		case 'models':
			return undefined;
		case 'tools/call':
		// What its server asks of the key's client.
		case 'elicitation/create':
		case 'sampling/createMessage':
		case 'roots/list':
			return {operation, server};
		case 'prompts/get':
			return {operation, server, prompt: textOf(params?.name)};
		// Who may read it may hear that it changed.
		case 'resources/read':
		case 'resources/subscribe':
		case 'resources/unsubscribe':
			return {operation: 'resources/read', server, resource: textOf(params?.uri)};
		case 'completion/complete':
			return {operation, server, ...completed(params?.ref)};
		default:
			return {server};
	}
};

type Listed = {server: string; name: string};

/** How an entry of a list is asked for. */
const entries: Partial<Record<Operation, {field: string; question: (entry: Listed) => Question}>> = {
	'tools/list': {field: 'tools', question: ({server, name: tool}) => ({operation: 'tools/call', server, tool})},
	'prompts/list': {field: 'prompts', question: ({server, name: prompt}) => ({operation: 'prompts/get', server, prompt})},
	'resources/list': {field: 'resources', question: ({server, name: resource}) => ({operation: 'resources/read', server, resource})},
	'resources/templates/list': {
		field: 'resourceTemplates',
		question: ({server, name: resource}) => ({operation: 'resources/read', server, resource}),
	},
};

/** What a list leaves of itself: whatever may be called, and the servers that may be asked. */
export const narrowed = (right: Right, operation: Operation, result: Json, taints: readonly string[] = []): Json => {
	const list = entries[operation];
	if (!list) throw new Error(`${operation} has no list`);
	const servers = fieldOf(result, 'servers') as string[];
	const all = fieldOf(result, list.field) as Listed[];
	return {
		servers: servers.filter(server => decide(right, {server, taints}).granted),
		// Names are enough: which entries are meant, the gateway knows.
		[list.field]: all
			.filter(({server, name}) => decide(right, {...list.question({server, name}), taints}).granted)
			.map(({server, name}) => ({server, name})),
	};
};
