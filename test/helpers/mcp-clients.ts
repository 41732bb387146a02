import type {ExecutionContext} from 'ava';
import {type Kind, kinds} from '../../examples/mcp-clients/clients.ts';

type Arguments = Record<string, unknown>;
/** A client that applications have, as they have it: calls a tool, and answers the first words of the result. */
export type Application = {
	name: string;
	call(t: ExecutionContext, url: string, key: string, tool: string, args: Arguments): Promise<string>;
};

const application = ({name, connect}: Kind): Application => ({
	name,
	async call(t, url, key, tool, args) {
		const client = await connect(url, key);
		t.teardown(client.close);
		return client.call(tool, args);
	},
});

/** Every kind of client that this gateway is tried with, none of them with a setting of its own. */
export const applications: readonly Application[] = kinds.map(application);
