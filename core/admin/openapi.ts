import {catalogue} from '../errors.ts';
import {isObject} from '../llm/json.ts';
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
				required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'help'],
			},
		},
	},
};

const ok = {description: 'What was asked for.', content: {'application/json': {schema: {}}}};
const responses = {200: ok, default: {$ref: '#/components/responses/problem'}};

const mapped = (value: unknown, change: (object: Record<string, unknown>) => Record<string, unknown>): unknown => {
	if (Array.isArray(value)) return value.map(item => mapped(item, change));
	if (!isObject(value)) return value;
	return change(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mapped(part, change)])));
};

/** A plugin describes what its schema makes of an input; of that, a caller may leave out what has a default. */
const asCallersSee = (input: unknown): unknown =>
	mapped(input, ({$schema, ...schema}) => {
		const {required, properties} = schema;
		if (!Array.isArray(required) || !isObject(properties)) return schema;
		const needed = required.filter(name => {
			const property = properties[String(name)];
			return !(isObject(property) && 'default' in property);
		});
		return {...schema, required: needed};
	});

const actionPaths = (house: PluginHouse): Record<string, unknown> =>
	Object.fromEntries(
		house.residents.flatMap(({member, loaded}) =>
			Object.entries(loaded.actions).map(([name, {description, input}]) => {
				const schema = asCallersSee(input ?? {type: 'object'});
				const isNeeded = isObject(schema) && Array.isArray(schema.required) && schema.required.length > 0;
				return [
					`/admin/plugins/${member.plugin.name}/actions/${name}`,
					{
						post: {
							operationId: `${member.plugin.name}.${name}`,
							tags: [member.plugin.name],
							summary: description,
							requestBody: {required: isNeeded, content: {'application/json': {schema}}},
							responses,
						},
					},
				];
			}),
		),
	);

/** The admin API of this gateway as it is configured (OpenAPI 3.1): every plugin's actions, with their input. */
export const openApi = (house: PluginHouse): Record<string, unknown> => ({
	openapi: '3.1.0',
	info: {title: 'Sallyport admin API', version: '1'},
	security: [{admin: []}],
	components: {
		securitySchemes: {admin: {type: 'http', scheme: 'bearer', description: 'The admin key.'}},
		responses: {problem},
	},
	paths: {
		'/admin/plugins': {get: {operationId: 'plugins', summary: 'The plugins in force.', responses}},
		'/admin/openapi.json': {get: {operationId: 'openapi', summary: 'This document.', responses}},
		...actionPaths(house),
	},
});
