import {defineConfig} from '../../plugin-sdk/index.ts';
import {journal, listen, models, providers, store, workers} from './place.ts';

export default defineConfig({
	listen,
	workers,
	store,
	journal,
	providers,
	models,
	prices: {'static/*': {inputUsdPerMTok: 0.15, outputUsdPerMTok: 0.6}},
	plugins: [
		{use: 'virtual-keys'},
		{use: 'injection', config: {action: 'flag'}},
		{use: 'secrets'},
		{use: 'masking', config: {in: ['request', 'response']}},
		{use: 'budgets', config: {window: 'month', limitUsd: {'*': 1_000_000}}},
	],
});
