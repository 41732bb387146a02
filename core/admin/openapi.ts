import * as z from 'zod';
import {catalogue} from '../errors.ts';
import {question} from '../explain/question.ts';
import {trial} from '../guards/trial.ts';
import {isObject} from '../llm/json.ts';
import type {PluginHouse} from '../plugins/house.ts';
import {lifting} from '../taints/routes.ts';
import {usagePaths} from '../usage/openapi.ts';
import {creating} from './admins.ts';

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

/** OpenAPI 3.1 says once for all which dialect of JSON Schema is written. */
const withoutDialect = (schema: unknown): unknown => {
	if (!isObject(schema)) return schema;
	const {$schema, ...rest} = schema;
	return rest;
};

const actionPaths = (house: PluginHouse): Record<string, unknown> =>
	Object.fromEntries(
		house.residents.flatMap(({member, loaded}) =>
			Object.entries(loaded.actions).map(([name, {description, input, access, tenantAdmin}]) => {
				const schema = withoutDialect(input ?? {type: 'object'});
				const isNeeded = isObject(schema) && Array.isArray(schema.required) && schema.required.length > 0;
				return [
					`/admin/plugins/${member.plugin.name}/actions/${name}`,
					{
						post: {
							operationId: `${member.plugin.name}.${name}`,
							tags: [member.plugin.name],
							summary: description,
							'x-sallyport-access': access,
							'x-sallyport-tenant-admin': tenantAdmin,
							requestBody: {required: isNeeded, content: {'application/json': {schema}}},
							responses,
						},
					},
				];
			}),
		),
	);

const adminId = {name: 'id', in: 'path', required: true, schema: {type: 'string'}};

const bodyOf = (schema: z.ZodType) => ({
	required: true,
	content: {'application/json': {schema: withoutDialect(z.toJSONSchema(schema, {io: 'input', unrepresentable: 'any'}))}},
});

/** What the gateway answers itself. */
const ownPaths = () => ({
	'/admin/explain': {
		post: {
			operationId: 'explain',
			summary: 'What would become of a request, and which rule decides: nothing is sent, reserved, stored or counted.',
			requestBody: bodyOf(question),
			responses,
		},
	},
	'/admin/guards/try': {
		post: {
			operationId: 'guards.try',
			summary: 'What the guards would make of a text, a request or a tool call: nothing is sent, stored or counted.',
			requestBody: bodyOf(trial),
			responses,
		},
	},
	'/admin/taints': {
		get: {operationId: 'taints.list', summary: 'What sessions and keys are tainted with, since which exchange, and until when.', responses},
	},
	'/admin/taints/lift': {
		post: {operationId: 'taints.lift', summary: 'Ends the taints of a place before their time.', requestBody: bodyOf(lifting), responses},
	},
	'/admin/admins': {
		get: {operationId: 'admins.list', summary: 'Whoever may use this API, without their keys.', responses},
		post: {
			operationId: 'admins.create',
			summary: 'Makes an admin. The answer is the only place where its key is ever shown. For owners.',
			requestBody: bodyOf(creating),
			responses,
		},
	},
	...Object.fromEntries(
		[
			['block', 'Refuses an admin until it is unblocked. For owners.'],
			['unblock', 'Lets a blocked admin in again. For owners.'],
			['revoke', 'Ends an admin for good. For owners.'],
		].map(([change, summary]) => [
			`/admin/admins/{id}/${change}`,
			{post: {operationId: `admins.${change}`, summary, parameters: [adminId], responses}},
		]),
	),
});

/** The admin API of this gateway as it is configured (OpenAPI 3.1): every plugin's actions, with their input. */
export const openApi = (house: PluginHouse): Record<string, unknown> => ({
	openapi: '3.1.0',
	info: {title: 'Sallyport admin API', version: '1'},
	security: [{admin: []}],
	components: {
		securitySchemes: {admin: {type: 'http', scheme: 'bearer', description: 'An admin key.'}},
		responses: {problem},
	},
	paths: {
		'/admin/plugins': {get: {operationId: 'plugins', summary: 'The plugins in force.', responses}},
		'/admin/openapi.json': {get: {operationId: 'openapi', summary: 'This document.', responses}},
		...ownPaths(),
		...usagePaths({responses, bodyOf}),
		...actionPaths(house),
	},
});
