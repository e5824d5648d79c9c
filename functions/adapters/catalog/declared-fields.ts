/** The fields that the files of catalog/ declare as measures or as indexed. */
export { declaredFields } from "#declared-fields";
