export * from 'typebox-modules/format';
export { default } from 'typebox-modules/format';
