import {defineConfig} from '../../plugin-sdk/index.ts';
import {journal, listen, models, providers, store} from './place.ts';

export default defineConfig({listen, store, journal, providers, models, anonymous: true, plugins: []});
