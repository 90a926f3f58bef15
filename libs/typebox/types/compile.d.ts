export * from 'typebox-modules/compile';
export { default } from 'typebox-modules/compile';
