/* Answers what it is given. */
#include "zhanggui.h"

bool exports_zhanggui_plugin_facts_plan(exports_zhanggui_plugin_facts_call_t *call,
                                        exports_zhanggui_plugin_facts_list_http_request_t *ret,
                                        exports_zhanggui_plugin_facts_plugin_error_t *err) {
  (void)call, (void)err;
  ret->ptr = NULL;
  ret->len = 0;
  return true;
}

bool exports_zhanggui_plugin_facts_decide(exports_zhanggui_plugin_facts_call_t *call,
                                          exports_zhanggui_plugin_facts_list_http_response_t *responses,
                                          exports_zhanggui_plugin_facts_step_t *ret,
                                          exports_zhanggui_plugin_facts_plugin_error_t *err) {
  (void)responses;
  if (call->arguments.len == 0) {
    err->tag = ZHANGGUI_PLUGIN_TYPES_PLUGIN_ERROR_INVALID_INPUT;
    zhanggui_string_set(&err->val.invalid_input, "value: nothing is there");
    return false;
  }
  ret->tag = EXPORTS_ZHANGGUI_PLUGIN_FACTS_STEP_ANSWER;
  ret->val.answer = call->arguments.ptr[0].value;
  return true;
}
