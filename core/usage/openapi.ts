import * as z from 'zod';
import {accountQuestion} from './account.ts';
import {invoiceParams} from './invoice.ts';
import {usageParams} from './question.ts';

/** Each field of a schema as a parameter of a query. */
const parametersOf = (params: z.ZodType): unknown[] => {
	const {properties = {}, required = []} = z.toJSONSchema(params, {io: 'input', unrepresentable: 'any'});
	return Object.entries(properties).map(([name, schema]) => ({name, in: 'query', required: required.includes(name), schema}));
};

type Shapes = {responses: unknown; bodyOf: (schema: z.ZodType) => unknown};

/** The paths of usage and of balances, for the OpenAPI document. */
export const usagePaths = ({responses, bodyOf}: Shapes): Record<string, unknown> => ({
	'/admin/usage': {
		get: {
			operationId: 'usage',
			summary: 'What was used, by whom, for what and how it ended; JSON, or CSV where format or accept says so.',
			parameters: parametersOf(usageParams),
			responses,
		},
	},
	'/admin/usage/invoices': {
		get: {
			operationId: 'usage.invoices',
			summary: 'What each team used in a month, a line for each model; JSON or CSV.',
			parameters: parametersOf(invoiceParams),
			responses,
		},
	},
	'/admin/ledger/explain': {
		post: {
			operationId: 'ledger.explain',
			summary: 'Every lease and record behind the balances of an account, and whether they add up to the journal.',
			requestBody: bodyOf(accountQuestion),
			responses,
		},
	},
});
