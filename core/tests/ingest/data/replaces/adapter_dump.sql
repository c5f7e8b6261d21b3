COPY action_logs (id, tenant_id, action_type, provider_name, request_payload, response_data, status, error_message, execution_time_ms, metadata, created_at, updated_at) FROM stdin;
550e8400-e29b-41d4-a716-446655440000	123e4567-e89b-12d3-a456-426614174000	crm_create	hubspot	{"email": "john.doe@example.com", "lastname": "Doe", "firstname": "John"}	{"id": "12345", "properties": {"a": [1, 2.5, null]}}	success	\N	245	{}	2024-01-15 10:30:00	2024-01-15 10:30:00
550e8400-e29b-41d4-a716-446655440001	123e4567-e89b-12d3-a456-426614174000	email_send	google	{}	\N	failure	connection reset\tby peer	2001	\N	2024-01-15 10:31:00	2024-01-15 10:31:02
\.
COPY audit_logs (id, tenant_id, user_id, action, resource_type, resource_id, changes, ip_address, user_agent, metadata, created_at, updated_at) FROM stdin;
660e8400-e29b-41d4-a716-446655440001	123e4567-e89b-12d3-a456-426614174000	admin@example.com	update	tenant	123e4567-e89b-12d3-a456-426614174000	{"after": {"name": "New Name"}, "before": {"name": "Old Name"}}	192.168.1.100	curl/8.0	{"reason": "rename"}	2024-01-15 10:35:00	2024-01-15 10:35:00
660e8400-e29b-41d4-a716-446655440002	123e4567-e89b-12d3-a456-426614174000	\N	delete	api_key	key-12345	\N	\N	\N	\N	2024-01-15 10:36:00	2024-01-15 10:36:00
\.
