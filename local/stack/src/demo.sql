-- The documented demonstration plant: four machines with four sensors each, known by the ids under which the simulator
-- publishes, with the documented limits (for the oil level, low is bad). Running it again changes nothing.
insert into machines (name, location, description, criticality, mqtt_id)
values
    ('Pump-01', 'Building A, Floor 2', 'Main feed pump', 'high', 'machine-1'),
    ('Motor-02', 'Building A, Floor 1', 'Drive motor of line 2', 'medium', 'machine-2'),
    ('Compressor-A', 'Building B, Floor 1', 'Compressed-air supply', 'high', 'machine-3'),
    ('Conveyor-B2', 'Building B, Floor 3', 'Conveyor of line 2', 'medium', 'machine-4')
on conflict (mqtt_id) do nothing;

insert into sensors (machine_id, name, sensor_type, unit, warning_threshold, critical_threshold, mqtt_id)
select machines.id, plant.name, plant.sensor_type, plant.unit, plant.warning, plant.critical, plant.mqtt_id
from (values
    ('machine-1', 'pressure-head', 'Pressure at the head', 'pressure', 'psi', 150.0, 180.0),
    ('machine-1', 'temp-core', 'Core temperature', 'temperature', '°C', 250.0, 280.0),
    ('machine-1', 'vibe-x', 'Vibration, x axis', 'vibration', 'mm/s', 4.0, 6.0),
    ('machine-1', 'flow-rate', 'Flow rate', 'flow_rate', 'L/min', 130.0, 145.0),
    ('machine-2', 'current-phase-a', 'Current, phase A', 'current', 'A', 18.0, 22.0),
    ('machine-2', 'temp-winding', 'Winding temperature', 'temperature', '°C', 100.0, 110.0),
    ('machine-2', 'vibration-base', 'Vibration at the base', 'vibration', 'mm/s', 3.5, 4.5),
    ('machine-2', 'rpm-shaft', 'Shaft speed', 'rpm', 'rpm', 1550.0, 1580.0),
    ('machine-3', 'pressure-tank', 'Tank pressure', 'pressure', 'bar', 9.0, 9.5),
    ('machine-3', 'temp-discharge', 'Discharge temperature', 'temperature', '°C', 75.0, 85.0),
    ('machine-3', 'oil-level', 'Oil level', 'level', '%', 50.0, 45.0),
    ('machine-3', 'vibration-1', 'Vibration', 'vibration', 'mm/s', 3.5, 4.5),
    ('machine-4', 'speed-belt', 'Belt speed', 'speed', 'm/s', 2.2, 2.4),
    ('machine-4', 'load-weight', 'Load', 'weight', 'kg', 450.0, 480.0),
    ('machine-4', 'temp-bearing', 'Bearing temperature', 'temperature', '°C', 60.0, 65.0),
    ('machine-4', 'torque-motor', 'Motor torque', 'torque', 'Nm', 180.0, 190.0)
) as plant (machine, mqtt_id, name, sensor_type, unit, warning, critical)
join machines on machines.mqtt_id = plant.machine
on conflict (machine_id, mqtt_id) do nothing;
