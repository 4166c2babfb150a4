// What the application is told by its environment. The AWS SDK reads AWS_REGION and credentials.

function required(name: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set; see README.md`);
  process.exit(2);
}

export const port = Number(process.env.PORT ?? 8000);

export const settings = {
  region: required("AWS_REGION"),
  /** The stack's output ApiUrl. */
  apiUrl: required("API_URL"),
  /** The output QueueUrl of ../outcome-queue.yaml. */
  queueUrl: required("QUEUE_URL"),
  /** Where customers reach this application. */
  publicUrl: process.env.PUBLIC_URL ?? `http://localhost:${port}`,
  customersFile: process.env.CUSTOMERS_FILE ?? "customers.json",
};
