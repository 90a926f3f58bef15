export * from 'typebox-modules/value';
export { default } from 'typebox-modules/value';
