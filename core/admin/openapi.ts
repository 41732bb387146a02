import {catalogue} from '../errors.ts';
import type {PluginHouse} from '../plugins/house.ts';

const problem = {
	description: 'RFC 9457 problem details.',
	content: {
		'application/problem+json': {
			schema: {
				type: 'object',
				properties: {
					type: {type: 'string'},
					title: {type: 'string'},
					status: {type: 'integer'},
					detail: {type: 'string'},
					instance: {type: 'string'},
					code: {type: 'string', enum: Object.keys(catalogue)},
					plugin: {type: 'string'},
					help: {type: 'string'},
				},
			},
		},
	},
};

const ok = {description: 'What the action answers.', content: {'application/json': {schema: {}}}};

const actionPaths = (house: PluginHouse): Record<string, unknown> =>
	Object.fromEntries(
		house.residents.flatMap(({member, loaded}) =>
			Object.entries(loaded.actions).map(([name, {description, input}]) => [
				`/admin/plugins/${member.plugin.name}/actions/${name}`,
				{
					post: {
						operationId: `${member.plugin.name}.${name}`,
						tags: [member.plugin.name],
						summary: description,
						requestBody: {required: false, content: {'application/json': {schema: input ?? {type: 'object'}}}},
						responses: {200: ok, default: problem},
					},
				},
			]),
		),
	);

/** The admin API of this gateway as it is configured (OpenAPI 3.1): every plugin's actions, with their input. */
export const openApi = (house: PluginHouse): Record<string, unknown> => ({
	openapi: '3.1.0',
	info: {title: 'Sallyport admin API', version: '1'},
	security: [{admin: []}],
	components: {securitySchemes: {admin: {type: 'http', scheme: 'bearer', description: 'The admin key.'}}},
	paths: {
		'/admin/plugins': {get: {operationId: 'plugins', summary: 'The plugins in force.', responses: {200: ok, default: problem}}},
		...actionPaths(house),
	},
});
