// Its examples have no types of their own.
declare module '@journeyapps/wa-sqlite/src/examples/*'
